// The stack of `paycli render --env dev` as a CDK app: what `cdk synth` is measured with.
//
// Written as one writes for the CDK, with its own constructs (L2) wherever there is one. The code lies in a bucket
// already, so nothing is packed.
'use strict';

const { App, Aws, CfnOutput, CfnParameter, Duration, Fn, RemovalPolicy, Stack, Tags } = require('aws-cdk-lib');
const api = require('aws-cdk-lib/aws-apigateway');
const cloudwatch = require('aws-cdk-lib/aws-cloudwatch');
const actions = require('aws-cdk-lib/aws-cloudwatch-actions');
const dynamodb = require('aws-cdk-lib/aws-dynamodb');
const events = require('aws-cdk-lib/aws-events');
const targets = require('aws-cdk-lib/aws-events-targets');
const iam = require('aws-cdk-lib/aws-iam');
const kms = require('aws-cdk-lib/aws-kms');
const lambda = require('aws-cdk-lib/aws-lambda');
const logs = require('aws-cdk-lib/aws-logs');
const s3 = require('aws-cdk-lib/aws-s3');
const sns = require('aws-cdk-lib/aws-sns');
const sqs = require('aws-cdk-lib/aws-sqs');

const ENVIRONMENT = 'dev';
const STAGE = 'v1';
const named = (part) => `${part}-${ENVIRONMENT}`;
const through = (...services) => ({
  StringEquals: { 'kms:ViaService': services.map((service) => `${service}.${Aws.REGION}.${Aws.URL_SUFFIX}`) },
});
const allow = (sid, actionNames, resource, conditions) =>
  new iam.PolicyStatement({ sid, actions: actionNames, resources: [resource], conditions });

class PaymentApi extends Stack {
  constructor(scope, id) {
    super(scope, id, { stackName: named('payment-api'), description: `Payment API, environment ${ENVIRONMENT}.` });
    const bucketName = new CfnParameter(this, 'ArtifactBucket').valueAsString;
    this.codeKey = new CfnParameter(this, 'CodeKey').valueAsString;
    this.bucket = s3.Bucket.fromBucketName(this, 'Artifacts', bucketName);
    this.key = this.addKey();
    this.addStores();
    this.addFunctions();
    this.addApi();
    this.addSchedule();
    this.addAlarms();
    this.addDashboard();
    this.addOutputs();
    Tags.of(this).add('Environment', ENVIRONMENT);
    Tags.of(this).add('ManagedBy', 'cdk');
    Tags.of(this).add('Project', 'payment-api');
  }

  addKey() {
    const account = new iam.AccountRootPrincipal();
    const of = (sid, more) => new iam.PolicyStatement({ sid, resources: ['*'], principals: [account], ...more });
    const use = ['Decrypt', 'DescribeKey', 'Encrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext',
      'ReEncryptFrom', 'ReEncryptTo'].map((action) => `kms:${action}`);
    const group = (name) => `arn:${Aws.PARTITION}:logs:${Aws.REGION}:${Aws.ACCOUNT_ID}:log-group:${name}`;
    const groups = [`/aws/lambda/${named('payment-validation')}`, `/aws/lambda/${named('payment-processing')}`,
      `/aws/lambda/${named('health-monitor')}`, `/aws/apigateway/${named('payment-api')}/*`,
      'API-Gateway-Execution-Logs_*'];
    const alarm = `arn:${Aws.PARTITION}:cloudwatch:${Aws.REGION}:${Aws.ACCOUNT_ID}:alarm:*-${ENVIRONMENT}`;
    return new kms.Key(this, 'Key', {
      description: `Payment API ${ENVIRONMENT}: table, queues, topic, logs and function environments.`,
      enableKeyRotation: true,
      pendingWindow: Duration.days(7),
      removalPolicy: RemovalPolicy.DESTROY,
      alias: `payments-${ENVIRONMENT}`,
      policy: new iam.PolicyDocument({
        statements: [
          of('AdministrationByIam', {
            actions: ['CancelKeyDeletion', 'CreateAlias', 'DeleteAlias', 'DescribeKey', 'DisableKey',
              'DisableKeyRotation', 'EnableKey', 'EnableKeyRotation', 'GetKeyPolicy', 'GetKeyRotationStatus',
              'ListGrants', 'ListKeyPolicies', 'ListKeyRotations', 'ListResourceTags', 'PutKeyPolicy', 'RevokeGrant',
              'RotateKeyOnDemand', 'ScheduleKeyDeletion', 'TagResource', 'UntagResource', 'UpdateAlias',
              'UpdateKeyDescription'].map((action) => `kms:${action}`),
          }),
          of('UseByIamThroughTheStores', { actions: use, conditions: through('dynamodb', 'sqs', 'sns', 'lambda') }),
          of('GrantsByIamForTheStores', {
            actions: ['kms:CreateGrant'],
            conditions: { ...through('dynamodb', 'lambda'), Bool: { 'kms:GrantIsForAWSResource': 'true' } },
          }),
          of('NoGrantsButForServices', {
            effect: iam.Effect.DENY,
            principals: [new iam.AnyPrincipal()],
            actions: ['kms:CreateGrant'],
            conditions: {
              BoolIfExists: { 'kms:GrantIsForAWSResource': 'false', 'aws:PrincipalIsAWSService': 'false' },
            },
          }),
          of('LogGroupsOfThisStack', {
            principals: [new iam.ServicePrincipal(`logs.${Aws.REGION}.${Aws.URL_SUFFIX}`)],
            actions: use,
            conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups.map(group) } },
          }),
          of('AlarmsOfThisStack', {
            principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
            actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
            conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID }, ArnLike: { 'aws:SourceArn': alarm } },
          }),
        ],
      }),
    });
  }

  addLogs(id, logGroupName) {
    return new logs.LogGroup(this, id, {
      logGroupName,
      retention: logs.RetentionDays.ONE_MONTH,
      encryptionKey: this.key,
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  addQueue(id, name, more) {
    return new sqs.Queue(this, id, {
      queueName: named(name),
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: this.key,
      enforceSSL: true,
      redriveAllowPolicy: { redrivePermission: sqs.RedrivePermission.DENY_ALL },
      ...more,
    });
  }

  addStores() {
    this.table = new dynamodb.Table(this, 'TransactionsTable', {
      tableName: named('transactions'),
      partitionKey: { name: 'transaction_id', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      timeToLiveAttribute: 'expires_at',
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const source = `arn:${Aws.PARTITION}:sqs:${Aws.REGION}:${Aws.ACCOUNT_ID}:${named('failed-transactions')}`;
    this.dead = this.addQueue('FailedTransactionsDeadLetterQueue', 'failed-transactions-dlq', {
      redriveAllowPolicy: { sourceQueues: [sqs.Queue.fromQueueArn(this, 'Source', source)] },
    });
    this.failed = this.addQueue('FailedTransactionsQueue', 'failed-transactions', {
      deadLetterQueue: { queue: this.dead, maxReceiveCount: 5 },
    });
    this.failures = this.addQueue('FunctionFailuresQueue', 'function-failures');
    this.topic = new sns.Topic(this, 'AlarmTopic', {
      topicName: named('payment-alarms'),
      displayName: `Payment API ${ENVIRONMENT}`,
      masterKey: this.key,
      enforceSSL: true,
    });
    this.topic.addToResourcePolicy(new iam.PolicyStatement({
      sid: 'AlarmsOfThisStack',
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [this.topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
    }));
  }

  addFunctions() {
    const payment = { TABLE_NAME: this.table.tableName, QUEUE_URL: this.failed.queueUrl };
    const report = allow('ReportFailure', ['sqs:SendMessage'], this.failed.queueArn);
    const keys = (decrypt, encrypt) => [
      allow('DecryptThroughServices', ['kms:Decrypt'], this.key.keyArn, through(...decrypt)),
      allow('EncryptThroughServices', ['kms:GenerateDataKey'], this.key.keyArn, through(...encrypt)),
    ];
    this.validation = this.addFunction('Validation', 'payment-validation', 'Validates a payment and stores it.', {
      ...payment, PAYMENT_TTL_SECONDS: '86400',
    }, [
      allow('StorePayment', ['dynamodb:PutItem'], this.table.tableArn),
      report, ...keys(['dynamodb', 'lambda', 'sqs'], ['sqs']),
    ]);
    this.processing = this.addFunction('Processing', 'payment-processing', 'Processes a validated payment, once.', payment, [
      allow('ProcessPayment', ['dynamodb:UpdateItem'], this.table.tableArn),
      report, ...keys(['dynamodb', 'lambda', 'sqs'], ['sqs']),
    ]);
    this.health = this.addFunction('HealthMonitor', 'health-monitor', 'Judges the metrics of the stack.', {
      API_NAME: named('payment-api'),
      API_STAGE: STAGE,
      VALIDATION_FUNCTION: named('payment-validation'),
      PROCESSING_FUNCTION: named('payment-processing'),
      TABLE_NAME: this.table.tableName,
      QUEUE_NAME: this.failed.queueName,
      DEAD_LETTER_QUEUE_NAME: this.dead.queueName,
      TOPIC_ARN: this.topic.topicArn,
      HEALTH_THRESHOLDS: JSON.stringify({ api_5xx_percent: [1, 5], api_latency_p99_ms: [2000, 4000] }),
    }, [
      allow('ReadMetrics', ['cloudwatch:GetMetricData'], '*'),
      allow('Alert', ['sns:Publish'], this.topic.topicArn),
      ...keys(['lambda', 'sns', 'sqs'], ['sns', 'sqs']),
    ]);
  }

  addFunction(title, part, description, variables, statements) {
    const logGroup = this.addLogs(`${title}Logs`, `/aws/lambda/${named(part)}`);
    const rights = new iam.ManagedPolicy(this, `${title}Policy`, {
      description: `What ${named(part)} may do.`,
      statements: [
        ...statements,
        allow('WriteLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn),
        allow('WriteTraces', ['xray:PutTelemetryRecords', 'xray:PutTraceSegments'], '*'),
        allow('KeepFailedRuns', ['sqs:SendMessage'], this.failures.queueArn),
      ],
    });
    const role = new iam.Role(this, `${title}Role`, {
      description: `Role of ${named(part)}.`,
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      managedPolicies: [rights],
    });
    return new lambda.Function(this, `${title}Function`, {
      functionName: named(part),
      description,
      handler: `handlers.${part.replace('payment-', '').replace('-', '_')}.handler`,
      runtime: lambda.Runtime.PYTHON_3_11,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 512,
      timeout: Duration.seconds(25),
      role: role.withoutPolicyUpdates(),
      code: lambda.Code.fromBucket(this.bucket, this.codeKey),
      environment: { ENVIRONMENT, METRIC_NAMESPACE: 'PaymentAPI', ...variables },
      environmentEncryption: this.key,
      logGroup,
      tracing: lambda.Tracing.ACTIVE,
      deadLetterQueue: this.failures,
    });
  }

  addApi() {
    const access = this.addLogs('AccessLogs', `/aws/apigateway/${named('payment-api')}/access`);
    this.api = new api.RestApi(this, 'RestApi', {
      restApiName: named('payment-api'),
      description: `Payment API, environment ${ENVIRONMENT}.`,
      endpointTypes: [api.EndpointType.REGIONAL],
      cloudWatchRole: false,
      defaultMethodOptions: { authorizationType: api.AuthorizationType.IAM },
      deployOptions: {
        stageName: STAGE,
        description: `Payment API, environment ${ENVIRONMENT}.`,
        tracingEnabled: true,
        accessLogDestination: new api.LogGroupLogDestination(access),
        accessLogFormat: api.AccessLogFormat.custom(JSON.stringify({
          request_id: '$context.requestId', extended_request_id: '$context.extendedRequestId',
          trace_id: '$context.xrayTraceId', time_ms: '$context.requestTimeEpoch', stage: '$context.stage',
          method: '$context.httpMethod', path: '$context.resourcePath', source_ip: '$context.identity.sourceIp',
          caller_arn: '$context.identity.userArn', status: '$context.status',
          error_type: '$context.error.responseType', latency_ms: '$context.responseLatency',
          function_status: '$context.integration.status',
        })),
        throttlingRateLimit: 1000,
        throttlingBurstLimit: 2000,
        loggingLevel: api.MethodLoggingLevel.ERROR,
        dataTraceEnabled: false,
        metricsEnabled: true,
      },
    });
    this.api.deploymentStage.node.addDependency(
      this.addLogs('ExecutionLogs', `API-Gateway-Execution-Logs_${this.api.restApiId}/${STAGE}`));
    const text = { type: api.JsonSchemaType.STRING };
    const model = (name, required, properties) => this.api.addModel(name, {
      modelName: name,
      contentType: 'application/json',
      schema: {
        schema: api.JsonSchemaVersion.DRAFT4, type: api.JsonSchemaType.OBJECT, required, properties,
        additionalProperties: false,
      },
    });
    const validate = model('ValidateRequest', ['amount', 'currency', 'customer_id'], {
      amount: { type: [api.JsonSchemaType.NUMBER, api.JsonSchemaType.STRING] },
      currency: text, customer_id: text, description: text, reference: text, payment_method: text,
      metadata: { type: api.JsonSchemaType.OBJECT, additionalProperties: text },
    });
    const process = model('ProcessRequest', ['transaction_id'], { transaction_id: text });
    const requestValidator = this.api.addRequestValidator('BodyValidator', {
      requestValidatorName: 'body', validateRequestBody: true, validateRequestParameters: true,
    });
    const route = (path, verb, handler, operationName, more) => this.api.root.addResource(path)
      .addMethod(verb, new api.LambdaIntegration(handler, { allowTestInvoke: false }), { operationName, ...more });
    route('validate', 'POST', this.validation, 'Validate', { requestValidator, requestModels: { $default: validate } });
    route('process', 'POST', this.processing, 'Process', { requestValidator, requestModels: { $default: process } });
    route('health', 'GET', this.health, 'Health');
    this.addErrors();
  }

  addErrors() {
    const answers = [
      ['DEFAULT_4XX', undefined, 'Request refused', 'request_refused'],
      ['DEFAULT_5XX', '503', 'Service Unavailable', 'temporarily_unavailable'],
      ['BAD_REQUEST_BODY', '400', 'Bad Request', 'invalid_request'],
      ['MISSING_AUTHENTICATION_TOKEN', '403', 'Forbidden', 'not_authenticated'],
      ['ACCESS_DENIED', '403', 'Forbidden', 'access_denied'],
      ['INVALID_SIGNATURE', '403', 'Forbidden', 'invalid_signature'],
      ['EXPIRED_TOKEN', '403', 'Forbidden', 'expired_token'],
      ['RESOURCE_NOT_FOUND', '404', 'Not Found', 'route_not_found'],
      ['REQUEST_TOO_LARGE', '413', 'Content Too Large', 'body_too_large'],
      ['UNSUPPORTED_MEDIA_TYPE', '415', 'Unsupported Media Type', 'unsupported_media_type'],
      ['THROTTLED', '429', 'Too Many Requests', 'throttled'],
    ];
    for (const [type, statusCode, title, code] of answers) {
      this.api.addGatewayResponse(type, {
        type: api.ResponseType.of(type),
        statusCode,
        responseHeaders: { 'Content-Type': "'application/problem+json'" },
        templates: {
          'application/json': JSON.stringify({
            type: 'about:blank', title, status: Number(statusCode) || undefined, code,
            request_id: '$context.requestId', errors: [],
          }),
        },
      });
    }
  }

  addSchedule() {
    new events.Rule(this, 'HealthSchedule', {
      ruleName: named('health-schedule'),
      description: 'Runs the health monitor.',
      schedule: events.Schedule.rate(Duration.minutes(1)),
      targets: [new targets.LambdaFunction(this.health, { retryAttempts: 1, maxEventAge: Duration.minutes(3) })],
    });
    this.health.configureAsyncInvoke({ retryAttempts: 1, maxEventAge: Duration.minutes(3) });
  }

  addAlarms() {
    this.alarms = [];
    const metric = (namespace, metricName, dimensionsMap, statistic = 'Sum', period = Duration.minutes(5)) =>
      new cloudwatch.Metric({ namespace, metricName, dimensionsMap, statistic, period });
    const alarm = (id, name, alarmDescription, watched, threshold, more) => {
      const made = new cloudwatch.Alarm(this, id, {
        alarmName: named(name),
        alarmDescription,
        metric: watched,
        threshold,
        evaluationPeriods: 1,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
        ...more,
      });
      made.addAlarmAction(new actions.SnsAction(this.topic));
      made.addOkAction(new actions.SnsAction(this.topic));
      this.alarms.push(made);
    };
    const total = (expression, usingMetrics) =>
      new cloudwatch.MathExpression({ expression, usingMetrics, period: Duration.minutes(5) });
    const route = (name, path, statistic) => metric('AWS/ApiGateway', name,
      { ApiName: named('payment-api'), Stage: STAGE, Method: 'POST', Resource: path }, statistic);
    const of = (part) => ({ FunctionName: named(part) });
    const failing = (part) => total('FILL(errors, 0) + FILL(faults, 0)', {
      errors: metric('AWS/Lambda', 'Errors', of(part)), faults: metric('PaymentAPI', 'Faults', of(part)),
    });
    alarm('ApiLatencyAlarm', 'api-latency', '1 of 100 requests takes longer than 2000 ms.',
      total('MAX([FILL(validate, 0), FILL(process, 0)])', {
        validate: route('Latency', '/validate', 'p99'), process: route('Latency', '/process', 'p99'),
      }), 2000, { comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD });
    alarm('ApiErrorsAlarm', 'api-5xx', 'At least 1.0 % of the answers are 5xx.',
      total('100 * (FILL(a, 0) + FILL(b, 0)) / (FILL(c, 0) + FILL(d, 0))', {
        a: route('5XXError', '/validate'), b: route('5XXError', '/process'),
        c: route('Count', '/validate'), d: route('Count', '/process'),
      }), 1);
    alarm('ValidationErrorsAlarm', 'validation-errors', 'Requests to validate a payment failed.',
      failing('payment-validation'), 5);
    alarm('ProcessingErrorsAlarm', 'processing-errors', 'Requests to process a payment failed.',
      failing('payment-processing'), 5);
    alarm('LambdaThrottlesAlarm', 'lambda-throttles', 'Lambda refused to start a function.',
      total('FILL(a, 0) + FILL(b, 0) + FILL(c, 0)', {
        a: metric('AWS/Lambda', 'Throttles', of('payment-validation')),
        b: metric('AWS/Lambda', 'Throttles', of('payment-processing')),
        c: metric('AWS/Lambda', 'Throttles', of('health-monitor')),
      }), 1);
    const table = { TableName: named('transactions') };
    alarm('DynamoDBThrottleAlarm', 'dynamodb-throttle', 'The table throttles reads or writes.',
      total('FILL(reads, 0) + FILL(writes, 0)', {
        reads: metric('AWS/DynamoDB', 'ReadThrottleEvents', table),
        writes: metric('AWS/DynamoDB', 'WriteThrottleEvents', table),
      }), 1);
    const queue = (name, metricName) => metric('AWS/SQS', metricName, { QueueName: named(name) }, 'Maximum');
    alarm('FailedTransactionsAgeAlarm', 'failed-transactions-age', 'A refused or failed payment has waited for 168 h.',
      queue('failed-transactions', 'ApproximateAgeOfOldestMessage'), 604800);
    alarm('FailedTransactionsDeadLetterAlarm', 'failed-transactions-dlq-depth', 'A failed payment was not replayed.',
      queue('failed-transactions-dlq', 'ApproximateNumberOfMessagesVisible'), 1);
    alarm('FunctionFailuresAlarm', 'function-failures-depth', 'A scheduled run of the health monitor failed.',
      queue('function-failures', 'ApproximateNumberOfMessagesVisible'), 1);
    alarm('HealthMonitorSilenceAlarm', 'health-monitor-silence', 'The health monitor has said nothing for 5 minutes.',
      metric('PaymentAPI', 'HealthState', { Environment: ENVIRONMENT }, 'SampleCount', Duration.minutes(1)), 1, {
        evaluationPeriods: 5,
        comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        treatMissingData: cloudwatch.TreatMissingData.BREACHING,
      });
  }

  addDashboard() {
    const dashboard = new cloudwatch.Dashboard(this, 'Dashboard', { dashboardName: named('payment-dashboard') });
    dashboard.addWidgets(new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms: this.alarms, width: 24 }));
    const functions = [this.validation, this.processing, this.health];
    const period = Duration.minutes(1);
    const ours = (metricName) =>
      new cloudwatch.Metric({ namespace: 'PaymentAPI', metricName, dimensionsMap: { Environment: ENVIRONMENT } });
    const graph = (title, left, width = 6, right = []) =>
      dashboard.addWidgets(new cloudwatch.GraphWidget({ title, left, right, width, period }));
    graph('Requests', [this.api.metricCount()], 8);
    graph('API errors', [this.api.metricClientError(), this.api.metricServerError()], 8);
    graph('API latency, ms', [
      ...['p50', 'p90', 'p99'].map((statistic) => this.api.metricLatency({ statistic, label: statistic })),
      this.api.metricIntegrationLatency({ statistic: 'p99' }),
    ], 8);
    graph('Payments', ['Validated', 'Processed', 'Replayed', 'Rejected'].map((what) => ours(`Payments${what}`)), 12);
    graph('Health', [ours('HealthState')], 12);
    graph('Function runs', functions.map((one) => one.metricInvocations()));
    graph('Function errors and faults', functions.map((one) => one.metricErrors()));
    graph('Function duration p99, ms', functions.map((one) => one.metricDuration({ statistic: 'p99' })));
    graph('Function throttles', functions.map((one) => one.metricThrottles()));
    graph('Table: consumed units', [
      this.table.metricConsumedReadCapacityUnits(), this.table.metricConsumedWriteCapacityUnits(),
    ]);
    const operations = [dynamodb.Operation.PUT_ITEM, dynamodb.Operation.UPDATE_ITEM];
    graph('Table latency p99, ms', operations.map((operation) => this.table.metricSuccessfulRequestLatency({
      dimensionsMap: { TableName: this.table.tableName, Operation: operation }, statistic: 'p99',
    })));
    graph('Table throttles and errors', operations.map((operation) =>
      this.table.metricThrottledRequestsForOperation(operation)));
    graph('Queues', [this.failed, this.dead, this.failures].map((one) =>
      one.metricApproximateNumberOfMessagesVisible()), 6, [this.failed.metricApproximateAgeOfOldestMessage()]);
  }

  addOutputs() {
    const outputs = {
      APIEndpoint: this.api.url,
      TransactionsTableName: this.table.tableName,
      AlarmTopicArn: this.topic.topicArn,
      DashboardName: named('payment-dashboard'),
      RestApiId: this.api.restApiId,
      StageName: this.api.deploymentStage.stageName,
      FailedTransactionsQueueUrl: this.failed.queueUrl,
      FailedTransactionsDeadLetterQueueUrl: this.dead.queueUrl,
      ValidationFunctionName: this.validation.functionName,
      ProcessingFunctionName: this.processing.functionName,
      HealthMonitorFunctionName: this.health.functionName,
      KeyArn: this.key.keyArn,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}

const app = new App();
new PaymentApi(app, 'PaymentApi');
app.synth();
