import { randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll } from 'vitest';
import { serverAddress } from '../../test/servers/servers.ts';
import { makeCertificates } from '../../test/tools/certificates.ts';
import { tlsFront } from '../../test/tools/tls-front.ts';
import { tlsBindingConformance } from '../kit/conformance/tls-binding.ts';
import { buildComponent } from '../kit/testing.ts';
import s3 from './s3.ts';
import sqs from './sqs.ts';

const name = `mecha-${randomUUID()}`;
const access = { accessKey: 'AKIATEST', secretKey: 'secret-of-the-access-key' };
const raw = { endpoint: `http://${serverAddress('moto')}`, region: 'us-east-1', credentials: { accessKeyId: access.accessKey, secretAccessKey: access.secretKey } };
const [objects, queues] = [new S3Client({ ...raw, forcePathStyle: true }), new SQSClient(raw)];
await Promise.all([objects.send(new CreateBucketCommand({ Bucket: name })), queues.send(new CreateQueueCommand({ QueueName: name }))]);
const certificates = await makeCertificates(undefined, ['DNS:localhost']);
const front = await tlsFront(serverAddress('moto'), certificates);
afterAll(async () => {
  objects.destroy();
  queues.destroy();
  await front.close();
  await certificates.remove();
});
const shared = { pem: certificates.pem, secrets: [access.secretKey] };

tlsBindingConformance(s3, {
  ...shared,
  build: (host, { authority, unverified = false }) => buildComponent(s3, { bucket: name, endpoint: `https://${host}:${front.port}`, forcePathStyle: true, caCert: authority, insecureSSL: unverified, ...access }),
  call: { operation: 'list' },
  mayBeUnverified: true,
});

tlsBindingConformance(sqs, {
  ...shared,
  build: (host, { authority }) => buildComponent(sqs, { queueName: name, endpoint: `https://${host}:${front.port}`, caCert: authority, ...access }),
  call: { operation: 'create', data: '"x"' },
  mayBeUnverified: false,
});
