"""Every rule of the audit, for `cfn-lint --append-rules paycli.audit.rules` and for `paycli audit`.

A rule is one class in one of these modules; cfn-lint makes the rules from what is imported here.
"""

from paycli.audit.rule import AuditRule
from paycli.audit.rules.access import MaybeOpenRoute, NoThrottle, OpenRoute
from paycli.audit.rules.alarms import (
    AlarmCannotPublish,
    AlarmTellsNobody,
    AlarmWithoutData,
    DeadLettersUnwatched,
    MissingDataUnstated,
    TopicWithoutSubscriber,
)
from paycli.audit.rules.bodies import (
    BodiesInExecutionLog,
    CallerDataInAccessLog,
    CredentialsInFirewallLog,
    ErrorsQuoteCaller,
    EventsInFunctionLog,
)
from paycli.audit.rules.bulk import BulkRead
from paycli.audit.rules.data import DeletedWhenReplaced, DeletedWithStack, TableUnprotected, TableWithoutRecovery
from paycli.audit.rules.destinations import AnotherAccountReceives, AnotherRegionReceives
from paycli.audit.rules.encryption import EnvironmentUnencrypted, KeyWithoutRotation, StoreUnencrypted
from paycli.audit.rules.failures import (
    AsyncWithoutDestination,
    DeadLettersExpireFirst,
    QueueWithoutRedrive,
    StreamWithoutDestination,
)
from paycli.audit.rules.firewall import FirewallBlocksNothing, FirewallOnlyCounts, FirewallWithoutLog, NoFirewall
from paycli.audit.rules.identity import AllowByExclusion, BroadManagedPolicy, WildcardAction, WildcardResource
from paycli.audit.rules.invocation import InvocableByAnyone, PermissionWiderThanRoute
from paycli.audit.rules.keys import GrantForAnyone, KeyUsedByAccount
from paycli.audit.rules.logs import (
    ExecutionLogUndeclared,
    FunctionLogUndeclared,
    LogsForgottenEarly,
    LogsKeptForEver,
    LogsUnencrypted,
    NoAccessLog,
)
from paycli.audit.rules.principals import AnotherAccount, PublicPolicy, RoleForAnyone, ServiceForAnyone
from paycli.audit.rules.secrets import (
    LiteralPassword,
    LiteralSecret,
    OutputShowsSecret,
    ParameterShowsSecret,
    SecretInFunctionEnvironment,
)
from paycli.audit.rules.transport import OldTls, PlainHttp, PlainHttpSubscription
from paycli.audit.rules.unread import Unread
from paycli.audit.rules.validation import BodyNotValidated, ValidationByContentType
from paycli.audit.rules.watching import ApiErrorsUnwatched, FunctionErrorsUnwatched, ScheduleOff, UndefinedMetric

RULES: tuple[type[AuditRule], ...] = (
    OpenRoute,
    MaybeOpenRoute,
    NoThrottle,
    AlarmWithoutData,
    MissingDataUnstated,
    AlarmTellsNobody,
    DeadLettersUnwatched,
    TopicWithoutSubscriber,
    AlarmCannotPublish,
    BodiesInExecutionLog,
    CallerDataInAccessLog,
    EventsInFunctionLog,
    ErrorsQuoteCaller,
    CredentialsInFirewallLog,
    DeletedWithStack,
    DeletedWhenReplaced,
    TableUnprotected,
    TableWithoutRecovery,
    StoreUnencrypted,
    EnvironmentUnencrypted,
    KeyWithoutRotation,
    QueueWithoutRedrive,
    DeadLettersExpireFirst,
    AsyncWithoutDestination,
    StreamWithoutDestination,
    WildcardAction,
    WildcardResource,
    AllowByExclusion,
    BroadManagedPolicy,
    InvocableByAnyone,
    PermissionWiderThanRoute,
    FunctionLogUndeclared,
    ExecutionLogUndeclared,
    LogsKeptForEver,
    LogsForgottenEarly,
    LogsUnencrypted,
    NoAccessLog,
    ServiceForAnyone,
    RoleForAnyone,
    PublicPolicy,
    AnotherAccount,
    LiteralSecret,
    LiteralPassword,
    SecretInFunctionEnvironment,
    ParameterShowsSecret,
    OutputShowsSecret,
    PlainHttp,
    OldTls,
    BodyNotValidated,
    ValidationByContentType,
    Unread,
    NoFirewall,
    FirewallBlocksNothing,
    FirewallOnlyCounts,
    FirewallWithoutLog,
    FunctionErrorsUnwatched,
    ApiErrorsUnwatched,
    ScheduleOff,
    UndefinedMetric,
    BulkRead,
    KeyUsedByAccount,
    GrantForAnyone,
    AnotherAccountReceives,
    AnotherRegionReceives,
    PlainHttpSubscription,
)
