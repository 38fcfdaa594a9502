/** The gRPC face of the jobs block (grpc-api.md 5.11): the same five methods under both of their names. */
import type { Init } from '@mecha/specs/codec.ts';
import type { JobFailurePolicy } from '@mecha/specs/gen/common.gen.ts';
import { Dapr } from '@mecha/specs/gen/dapr.gen.ts';
import type { DeleteJobRequest, DeleteJobsByPrefixRequest, GetJobRequest, Job, ScheduleJobRequest } from '@mecha/specs/gen/jobs.gen.ts';
import { anyOfData } from '../../jobs/job-data.ts';
import type { Pipeline } from '../../pipeline.ts';
import { unary, type GrpcMethod, type GrpcRequest } from '../../servers/grpc-face.ts';
import type { FailurePolicy, JobRequest } from './job-definition.ts';
import type { JobInfo, JobsBlock } from './jobs.ts';

export function jobsGrpc(load: () => Promise<JobsBlock>, pipeline: Pipeline): GrpcMethod[] {
  const schedule = async (request: GrpcRequest<ScheduleJobRequest>) => {
    await pipeline.run(request.call('jobs.schedule'), async () => (await load()).schedule(jobOf(request)));
    return {};
  };
  const get = async (request: GrpcRequest<GetJobRequest>) => ({ job: wireJob(await pipeline.run(request.call('jobs.get'), async () => (await load()).get(request.message.name))) });
  const remove = async (request: GrpcRequest<DeleteJobRequest>) => {
    await pipeline.run(request.call('jobs.delete'), async () => (await load()).delete(request.message.name));
    return {};
  };
  const removeByPrefix = async (request: GrpcRequest<DeleteJobsByPrefixRequest>) => {
    await pipeline.run(request.call('jobs.deleteByPrefix'), async () => (await load()).deleteByPrefix(request.message.namePrefix ?? ''));
    return {};
  };
  const list = async (request: GrpcRequest<unknown>) => ({ jobs: (await pipeline.run(request.call('jobs.list'), async () => (await load()).listAll())).map(wireJob) });
  return [
    unary(Dapr.ScheduleJob, schedule),
    unary(Dapr.ScheduleJobAlpha1, schedule),
    unary(Dapr.GetJob, get),
    unary(Dapr.GetJobAlpha1, get),
    unary(Dapr.DeleteJob, remove),
    unary(Dapr.DeleteJobAlpha1, remove),
    unary(Dapr.DeleteJobsByPrefix, removeByPrefix),
    unary(Dapr.DeleteJobsByPrefixAlpha1, removeByPrefix),
    unary(Dapr.ListJobs, list),
    unary(Dapr.ListJobsAlpha1, list),
  ];
}

function jobOf({ message: { job, overwrite }, metadata }: GrpcRequest<ScheduleJobRequest>): JobRequest | undefined {
  if (!job) return undefined;
  const { name, schedule, repeats, dueTime, ttl, data, failurePolicy } = job;
  const header = (key: string): string | undefined => {
    const value = metadata[key];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    name,
    // Libraries that know no presence send empty texts.
    schedule: schedule || undefined,
    repeats,
    dueTime: dueTime || undefined,
    ttl: ttl || undefined,
    // Libraries that must send something send an empty message of no type.
    data: data && (data.typeUrl !== '' || data.value.length > 0) ? { typeUrl: data.typeUrl, value: data.value } : undefined,
    overwrite,
    failurePolicy: policyOf(failurePolicy),
    missed: header('mecha-job-missed'),
    overlap: header('mecha-job-overlap'),
  };
}

function policyOf(policy: JobFailurePolicy | undefined): FailurePolicy | undefined {
  if (policy?.drop) return { drop: true };
  if (!policy?.constant) return undefined;
  const { interval, maxRetries } = policy.constant;
  return { intervalMs: interval ? Math.max(0, interval.seconds * 1000 + Math.round(interval.nanos / 1e6)) : 1000, ...(maxRetries === undefined ? {} : { maxRetries }) };
}

function wireJob({ name, schedule, repeats, dueTime, ttl, data, failurePolicy }: JobInfo): Init<Job> {
  return { name, schedule, repeats, dueTime, ttl, data: data && anyOfData(data), failurePolicy: failurePolicy && wirePolicy(failurePolicy) };
}

function wirePolicy(policy: FailurePolicy): Init<JobFailurePolicy> {
  if ('drop' in policy) return { drop: {} };
  const { intervalMs, maxRetries } = policy;
  return { constant: { interval: { seconds: Math.floor(intervalMs / 1000), nanos: (intervalMs % 1000) * 1_000_000 }, maxRetries } };
}
