"""The stack, room by room: an Environment becomes a CloudFormation template.

`build` is pure: it calls no AWS API, reads no clock and rolls no dice, so the same settings and the same
request models give the same template to the byte.
"""

from typing import TYPE_CHECKING

import paycli.stack.no_yaml_yet  # noqa: F401 - before troposphere

# isort: split
from troposphere import Template

from paycli.stack.acceptance import write_acceptances
from paycli.stack.api import add_api, add_rest_api
from paycli.stack.backup import add_backup
from paycli.stack.boundary import bound_roles
from paycli.stack.dashboard import add_dashboard
from paycli.stack.embedded import fit_to_embedded, hostable
from paycli.stack.encryption import add_key
from paycli.stack.firewall import add_firewall
from paycli.stack.functions import add_functions
from paycli.stack.logs import add_log_groups
from paycli.stack.metadata import add_metadata
from paycli.stack.monitoring import add_alarms
from paycli.stack.notifications import add_topic
from paycli.stack.outputs import add_outputs
from paycli.stack.parameters import add_parameters
from paycli.stack.queues import add_queues
from paycli.stack.schedule import add_schedule
from paycli.stack.storage import add_table
from paycli.stack.tagging import tag_resources

if TYPE_CHECKING:
    from paycli.environment import Environment


def build(environment: "Environment") -> Template:
    """Return the whole stack of one environment."""
    if environment.target == "embedded":
        environment = hostable(environment)
    template = Template(Description=f"Payment API, environment {environment.name}. Built by paycli.")
    template.set_version()
    add_metadata(template, environment)

    parameters = add_parameters(template, environment)
    rest_api = add_rest_api(template, environment)
    key = add_key(template, environment)
    logs = add_log_groups(template, environment, key)
    table = add_table(template, environment, key, parameters)
    vault = add_backup(template, environment, key, table) if environment.backup else None
    queues = add_queues(template, environment, key)
    topic = add_topic(template, environment, key)
    functions = add_functions(template, environment, parameters, key, logs, table, queues, topic)
    stage = add_api(template, environment, rest_api, functions, logs)
    if logs.firewall is not None:
        add_firewall(template, environment, stage, logs.firewall)
    add_schedule(template, environment, functions)
    alarms = add_alarms(template, environment, topic)
    dashboard = add_dashboard(template, environment, alarms)
    add_outputs(template, rest_api, stage, key, table, queues, topic, functions, dashboard, vault)

    tag_resources(template, environment.all_tags)
    if environment.permissions_boundary:
        bound_roles(template, environment.permissions_boundary)
    if environment.target == "embedded":
        fit_to_embedded(template)
    write_acceptances(template, environment.accepted_risks)
    return template
