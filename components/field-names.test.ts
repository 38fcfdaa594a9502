/**
 * The metadata names that bindings of the field know (components.md B.3, with the common ones of Redis, Kafka and cloud accounts).
 * YAML written for them loads here, so each name is one of ours: taken, told to have no effect, or refused by name; none is unknown.
 */
import { describe, expect, test } from 'vitest';
import { catalog } from './catalog.gen.ts';
import { buildComponent } from './kit/testing.ts';
import { decodeMetadata } from './kit/metadata.ts';
import s3 from './aws/s3.ts';
import sqs from './aws/sqs.ts';

const CLOUD_ACCOUNT = 'region awsRegion accessKey awsAccessKey secretKey awsSecretKey sessionToken awsSessionToken assumeRoleArn awsIamRoleArn sessionName awsStsSessionName trustAnchorArn trustProfileArn';
const BACK_OFF = 'backOffPolicy backOffDuration backOffInitialInterval backOffRandomizationFactor backOffMultiplier backOffMaxInterval backOffMaxElapsedTime backOffMaxRetries';
const OIDC = 'oidcTokenEndpoint oidcClientID oidcClientAssertionCert oidcClientAssertionKey oidcResource oidcAudience oidcKid oidcScopes';
const NAMES: Readonly<Record<string, string>> = {
  'bindings.http': 'url responseTimeout maxResponseBodySize MTLSRootCA MTLSClientCert MTLSClientKey MTLSRenegotiation securityToken securityTokenHeader errorIfNot2XX',
  'bindings.cron': 'schedule',
  'bindings.kafka': `brokers topics publishTopic consumerGroup consumerID clientId clientID authType authRequired saslUsername saslPassword saslMechanism ${OIDC} oidcClientSecret oidcExtensions caCert clientCert clientKey skipVerify disableTls initialOffset maxMessageBytes consumeRetryEnabled consumeRetryInterval ${BACK_OFF} heartbeatInterval sessionTimeout version escapeHeaders excludeHeaderMetaRegex channelBufferSize consumerFetchMin consumerFetchDefault consumerGroupRebalanceStrategy compression producerRequiredAcks producerRetryMax dialTimeout readTimeout writeTimeout metadataTimeout clientConnectionTopicMetadataRefreshInterval clientConnectionKeepAliveInterval schemaRegistryURL schemaRegistryAPIKey schemaRegistryAPISecret schemaCachingEnabled schemaLatestVersionCacheTTL useAvroJSON ${CLOUD_ACCOUNT}`,
  'bindings.redis': `redisHost redisPort redisUsername redisPassword sentinelUsername sentinelPassword redisDB redisType failover sentinelMasterName redisMaxRetries maxRetries redisMinRetryInterval maxRetryBackoff redisMaxRetryInterval dialTimeout readTimeout writeTimeout poolSize poolTimeout maxConnAge minIdleConns idleTimeout idleCheckFrequency enableTLS insecureSkipTLSVerify clientCert clientKey useEntraID useOIDC ${OIDC} oidcCACert`,
  'bindings.postgresql': `connectionString url host hostaddr port database user password sslRootCert timeout timeoutInSeconds maxConns connectionMaxIdleTime queryExecMode useAzureAD useAWSIAM azureTenantId azureClientId azureClientSecret ${CLOUD_ACCOUNT}`,
  'bindings.mysql': 'url pemPath maxIdleConns maxOpenConns connMaxLifetime connMaxIdleTime',
  'bindings.rabbitmq': 'host queueName durable deleteWhenUnused exclusive prefetchCount maxPriority ttl ttlInSeconds reconnectWaitInSeconds caCert clientCert clientKey externalSasl saslExternal contentType',
  'bindings.mqtt3': 'url topic consumerID qos retain cleanSession backOffMaxRetries caCert clientCert clientKey',
  'bindings.localstorage': 'rootPath',
  'bindings.smtp': 'host port user password skipTLSVerify emailFrom emailTo emailCC emailBCC subject priority',
  'bindings.graphql': 'endpoint header:Authorization',
  'bindings.aws.s3': `bucket endpoint forcePathStyle decodeBase64 encodeBase64 disableSSL insecureSSL storageClass filePath presignTTL ${CLOUD_ACCOUNT}`,
  'bindings.aws.sqs': `queueName endpoint ${CLOUD_ACCOUNT}`,
};

test.each(Object.keys(NAMES))('%s knows every metadata name of the field', async (type) => {
  const definition = (await catalog.find((entry) => entry.type === type)?.load())?.default;
  if (!definition) throw new Error(`there is no ${type}`);
  const unknown = ['direction', 'route', ...(NAMES[type] ?? '').split(' ')].filter((name) => decodeMetadata(definition, [{ name, value: '1' }]).problems.some(({ reason }) => reason === 'unknown-name'));
  expect(unknown).toEqual([]);
});

describe('a role that could not be taken on', () => {
  test.each(['assumeRoleArn', 'trustAnchorArn', 'trustProfileArn'])('is refused by its name: %s', (name) => {
    expect(() => buildComponent(s3, { bucket: 'b', [name]: 'arn:aws:iam::1:role/r' })).toThrow(new RegExp(`^${name} is not supported`));
    expect(() => buildComponent(sqs, { queueName: 'q', [name]: 'arn:aws:iam::1:role/r' })).toThrow(name);
  });
});
