"""CloudFormation's operations. Each is a method of its name that takes the request and returns the answer."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.fakes.cloudformation import change_sets, drift, shown, templates
from tests.fakes.cloudformation.creation import Create, CreateRollback
from tests.fakes.cloudformation.deletion import Delete
from tests.fakes.cloudformation.drift import Detections
from tests.fakes.cloudformation.engine import Engine, accept, demand_updatable, is_repeated
from tests.fakes.cloudformation.errors import ApiError, FakeProblem, invalid
from tests.fakes.cloudformation.model import Event, Json, Stack
from tests.fakes.cloudformation.updating import Update, UpdateRollback

Fetch = Callable[[str], str]  # a template's URL -> its text


class CloudFormation:
    """The operations, on one engine."""

    def __init__(self, engine: Engine, fetch: Fetch) -> None:
        self.engine = engine
        self.fetch = fetch
        self.detections = Detections(engine)

    def call(self, action: str, request: Json) -> Json:
        method = getattr(self, _snake(action), None)
        if method is None:
            raise FakeProblem(f"{action} is not in the fake; SPEC.md says what is")
        answer: Json = method(request)
        return answer

    # Stacks

    def create_stack(self, request: Json) -> Json:
        name = request["StackName"]
        body = self._body(request) or ""
        template = templates.parse(body)
        templates.check(template, request.get("Capabilities", []))
        values = templates.parameters(template, request.get("Parameters", []), {})
        token = request.get("ClientRequestToken", "")
        there = self.engine.find(name)
        if there:
            if token and there.tokens.get(token) == "create":
                return {"StackId": there.stack_id}
            raise ApiError("AlreadyExistsException", f"Stack [{name}] already exists")
        stack = self.engine.new_stack(name)
        accept(stack, token, "create")
        change_sets.configure(stack, {**request, "TemplateBody": body}, template, values)
        stack.deployment_config = request.get("DeploymentConfig", {})
        stack.rollback_disabled = change_sets.rollback_disabled(request, request)
        stack.termination_protection = request.get("EnableTerminationProtection", False)
        stack.policy = json.loads(request["StackPolicyBody"]) if "StackPolicyBody" in request else None
        self.engine.begin(stack, "CREATE_STACK", token)
        Create(self.engine, stack).begin(on_failure=request.get("OnFailure", "ROLLBACK"))
        return {"StackId": stack.stack_id, "OperationId": stack.operations[-1][1]}

    def update_stack(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        demand_updatable(stack)
        body = stack.now.body if request.get("UsePreviousTemplate") else self._body(request) or ""
        template = templates.parse(body)
        values = templates.parameters(template, request.get("Parameters", []), stack.now.parameters)
        if (template, values) == (stack.now.template, stack.now.parameters):
            raise invalid("No updates are to be performed.")
        templates.check(template, request.get("Capabilities", []))
        before = change_sets.last_stable(stack)
        for one in stack.change_sets.values():
            one.execution_status = "OBSOLETE" if one.execution_status == "AVAILABLE" else one.execution_status
        change_sets.configure(stack, {**request, "TemplateBody": body}, template, values)
        stack.deployment_config = request.get("DeploymentConfig", {})
        stack.rollback_disabled = change_sets.rollback_disabled(request, request)
        stack.updated_at = self.engine.now
        self.engine.begin(stack, "UPDATE_STACK", request.get("ClientRequestToken", ""))
        Update(self.engine, stack, before).begin()
        return {"StackId": stack.stack_id, "OperationId": stack.operations[-1][1]}

    def describe_stacks(self, request: Json) -> Json:
        when = self.engine.now - self.engine.scenario.lag.get("DescribeStacks", 0.0)
        name = request.get("StackName")
        found = []
        for one in reversed(self.engine.stacks):
            moment = one.at(when)
            deleted = moment is not None and moment.status == "DELETE_COMPLETE"
            if moment and (name == one.stack_id or (not deleted and name in {None, one.name})):
                found.append(shown.stack(one, moment))
        if name and not found:
            raise invalid(f"Stack with id {name} does not exist")
        return self._page("Stacks", found[:1] if name else found, request)

    def delete_stack(self, request: Json) -> Json:
        stack = self.engine.find(request["StackName"])
        if stack is None or stack.status in {"DELETE_COMPLETE", "DELETE_IN_PROGRESS"}:
            return {}
        token = request.get("ClientRequestToken", "")
        if is_repeated(stack, token, "delete"):
            return {}
        if stack.termination_protection:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        retained, mode = request.get("RetainResources", []), request.get("DeletionMode", "STANDARD")
        if stack.status != "DELETE_FAILED" and retained:
            raise invalid(
                f"Invalid operation on stack [{stack.stack_id}]. When you delete a stack, specify which resources to "
                "retain only when the stack is in the DELETE_FAILED state."
            )
        if stack.status != "DELETE_FAILED" and mode == "FORCE_DELETE_STACK":
            raise invalid(f"Stack [{stack.stack_id}] is not in DELETE_FAILED state: FORCE_DELETE_STACK is not possible")
        interruptible = {"CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}
        if stack.in_progress and stack.status not in interruptible:
            raise invalid(f"Stack [{stack.stack_id}] cannot be deleted while in status {stack.status}")
        if stack.operation:
            stack.operation.interrupt()
        stack.deployment_config = request.get("DeploymentConfig", {})
        stack.role_arn = request.get("RoleARN", stack.role_arn)
        accept(stack, token, "delete")
        stack.change_sets.clear()
        self.engine.begin(stack, "DELETE_STACK", token)
        Delete(self.engine, stack).begin(retained, forces=mode == "FORCE_DELETE_STACK")
        return {}

    def cancel_update_stack(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        token = request.get("ClientRequestToken", "")
        if is_repeated(stack, token, "cancel"):
            return {}
        if stack.status != "UPDATE_IN_PROGRESS" or not isinstance(stack.operation, Update):
            raise invalid("CancelUpdateStack cannot be called from current stack status")
        accept(stack, token, "cancel")
        stack.operation.cancel()
        return {}

    def continue_update_rollback(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        token = request.get("ClientRequestToken", "")
        if is_repeated(stack, token, "continue"):
            return {}
        if stack.status != "UPDATE_ROLLBACK_FAILED" or not isinstance(stack.operation, UpdateRollback):
            raise invalid("RollbackUpdatedStack cannot be called from current stack status")
        skipped = request.get("ResourcesToSkip", [])
        for logical_id in skipped:
            resource = stack.resources.get(logical_id)
            if resource is None or resource.status != "UPDATE_FAILED" or "cancelled" in resource.reason:
                raise invalid(f"Resources [{logical_id}] cannot be skipped: only those that a failed rollback has left")
        accept(stack, token, "continue")
        self.engine.begin(stack, "CONTINUE_ROLLBACK", token)
        stack.operation.begin("User Initiated", skipped)
        return {}

    def rollback_stack(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        if stack.express:
            raise invalid("RollbackStack is not supported for a stack that was last updated with EXPRESS mode")
        self.engine.begin(stack, "ROLLBACK", request.get("ClientRequestToken", ""))
        stack.rollback_disabled = False
        if stack.status == "CREATE_FAILED":
            CreateRollback(self.engine, stack).begin("User Initiated")
        elif stack.status == "UPDATE_FAILED":
            UpdateRollback(self.engine, stack, change_sets.last_stable(stack)).begin("User Initiated")
        else:
            raise invalid("RollbackStack cannot be called from current stack status")
        return {"StackId": stack.stack_id, "OperationId": stack.operations[-1][1]}

    def update_termination_protection(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        stack.termination_protection = request["EnableTerminationProtection"]
        return {"StackId": stack.stack_id}

    def set_stack_policy(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        stack.policy = json.loads(request["StackPolicyBody"])
        return {}

    def get_stack_policy(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        return {"StackPolicyBody": json.dumps(stack.policy)} if stack.policy is not None else {}

    # Looking

    def describe_stack_events(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        events = self._visible("DescribeStackEvents", stack.events)
        return self._page("StackEvents", [shown.event(one, stack) for one in events], request)

    def describe_events(self, request: Json) -> Json:
        owned = list(self._operation_events(request))
        events = self._visible("DescribeEvents", [one for one, _ in owned])
        if request.get("Filters", {}).get("FailedEvents"):
            events = [one for one in events if one.failed]
        owners = {one.event_id: stack for one, stack in owned}
        described = [shown.operation_event(one, owners[one.event_id]) for one in events]
        return self._page("OperationEvents", described, request)

    def _operation_events(self, request: Json) -> list[tuple[Event, Stack]]:
        if "ChangeSetName" in request:
            stack, found = change_sets.find(self.engine, request["ChangeSetName"], request.get("StackName", ""))
            return [(one, stack) for one in found.events]
        stacks = [self.engine.demand(request["StackName"])] if "StackName" in request else self.engine.stacks
        if "StackName" not in request and "OperationId" not in request:
            raise invalid("One of ChangeSetName, OperationId or StackName must be specified")
        events = [(one, stack) for stack in stacks for one in stack.events]
        events += [(one, stack) for stack in stacks for made in stack.change_sets.values() for one in made.events]
        wanted = request.get("OperationId")
        return [(one, stack) for one, stack in events if wanted in {None, one.operation_id}]

    def _visible(self, operation: str, events: Sequence[Event]) -> list[Event]:
        """Return what can be seen by now, newest first."""
        when = self.engine.now - self.engine.scenario.lag.get(operation, 0.0)
        seen = [(one.at, number, one) for number, one in enumerate(events) if one.visible_at <= when]
        return [one for _, _, one in sorted(seen, key=lambda entry: entry[:2], reverse=True)]

    def list_stack_resources(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        found = [shown.resource(one, "LastUpdatedTimestamp") for one in stack.resources.values() if one.status]
        return self._page("StackResourceSummaries", found, request)

    def describe_stack_resources(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        wanted = request.get("LogicalResourceId")
        owner = {"StackName": stack.name, "StackId": stack.stack_id}
        found = [one for one in stack.resources.values() if one.status and wanted in {None, one.logical_id}]
        return {"StackResources": [{**owner, **shown.resource(one, "Timestamp")} for one in found[:100]]}

    def get_template(self, request: Json) -> Json:
        if "ChangeSetName" in request:
            _, found = change_sets.find(self.engine, request["ChangeSetName"], request.get("StackName", ""))
            return {"TemplateBody": found.request["TemplateBody"], "StagesAvailable": ["Original", "Processed"]}
        stack = self.engine.demand(request["StackName"])
        return {"TemplateBody": stack.now.body, "StagesAvailable": ["Original", "Processed"]}

    # Change sets

    def create_change_set(self, request: Json) -> Json:
        body = None if request.get("UsePreviousTemplate") else self._body(request)
        made = change_sets.make(self.engine, request, body)
        return {"Id": made.change_set_id, "StackId": made.stack_id}

    def describe_change_set(self, request: Json) -> Json:
        stack, found = change_sets.find(self.engine, request["ChangeSetName"], request.get("StackName", ""))
        if self.engine.now - self.engine.scenario.lag.get("DescribeChangeSet", 0.0) < found.created_at:
            raise ApiError("ChangeSetNotFound", f"ChangeSet [{request['ChangeSetName']}] does not exist", 404)
        described = shown.change_set(found, stack, values=request.get("IncludePropertyValues", False))
        return {**described, **self._page("Changes", described["Changes"], request)}

    def list_change_sets(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        active = [one for one in stack.change_sets.values() if not one.execution_status.startswith("EXECUTE_")]
        return self._page("Summaries", [shown.change_set_summary(one, stack) for one in active], request)

    def execute_change_set(self, request: Json) -> Json:
        stack, found = change_sets.find(self.engine, request["ChangeSetName"], request.get("StackName", ""))
        change_sets.execute(self.engine, stack, found, request)
        return {}

    def delete_change_set(self, request: Json) -> Json:
        try:
            stack, found = change_sets.find(self.engine, request["ChangeSetName"], request.get("StackName", ""))
        except ApiError as error:
            if error.code == "ChangeSetNotFound":
                return {}
            raise
        status = change_sets.finished(stack, found)
        if status == "EXECUTE_IN_PROGRESS":
            what = f"ChangeSet [{found.change_set_id}] cannot be deleted in its current execution status of [{status}]"
            raise ApiError("InvalidChangeSetStatus", what)
        del stack.change_sets[found.change_set_id]
        return {}

    # Drift

    def detect_stack_drift(self, request: Json) -> Json:
        return {"StackDriftDetectionId": self.detections.detect(self.engine.demand(request["StackName"]))}

    def describe_stack_drift_detection_status(self, request: Json) -> Json:
        return self.detections.describe(request["StackDriftDetectionId"])

    def describe_stack_resource_drifts(self, request: Json) -> Json:
        stack = self.engine.demand(request["StackName"])
        wanted = request.get("StackResourceDriftStatusFilters")
        found = drift.resource_drifts(self.engine, stack)
        found = [one for one in found if wanted is None or one["StackResourceDriftStatus"] in wanted]
        return self._page("StackResourceDrifts", found, request)

    def _body(self, request: Json) -> str | None:
        if "TemplateURL" in request:
            return self.fetch(request["TemplateURL"])
        body: str = request["TemplateBody"]
        if len(body.encode()) > templates.INLINE_LIMIT:
            raise invalid(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {templates.INLINE_LIMIT}"
            )
        return body

    def _page(self, name: str, entries: list[Any], request: Json) -> Json:
        """Return a page. The token counts entries from the newest, so what is new meanwhile shifts the pages."""
        start = int(request.get("NextToken", 0))
        end = start + self.engine.scenario.page_size
        return {name: entries[start:end], **({"NextToken": str(end)} if end < len(entries) else {})}


def _snake(action: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action).lstrip("_")
