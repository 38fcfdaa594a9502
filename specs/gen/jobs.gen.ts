// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/jobs.proto; not by hand.
// Jobs: triggers at a time or on a schedule.
import { createCodec, keepUnknown, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Any } from './any.gen.ts';
import { JobFailurePolicy } from './common.gen.ts';

export interface Job {
  name: string;
  /** Cron with seconds, `@every 1m`, or a name such as `@daily`. */
  schedule?: string | undefined;
  repeats?: number | undefined;
  /** When the job is due first, or once. */
  dueTime?: string | undefined;
  ttl?: string | undefined;
  data?: Any | undefined;
  failurePolicy?: JobFailurePolicy | undefined;
  unknown?: Uint8Array | undefined;
}
function writeJob(m: Init<Job>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.schedule !== undefined) w.uint32(18).string(m.schedule);
  if (m.repeats !== undefined) w.uint32(24).uint32(m.repeats);
  if (m.dueTime !== undefined) w.uint32(34).string(m.dueTime);
  if (m.ttl !== undefined) w.uint32(42).string(m.ttl);
  if (m.data) Any.write(m.data, w.uint32(50).fork()).ldelim();
  if (m.failurePolicy) JobFailurePolicy.write(m.failurePolicy, w.uint32(58).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readJob(r: Reader, depth: number, target?: Job): Job {
  const m: Job = target ?? { name: '', schedule: undefined, repeats: undefined, dueTime: undefined, ttl: undefined, data: undefined, failurePolicy: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.schedule = r.stringVerify();
        break;
      case 24:
        m.repeats = r.uint32();
        break;
      case 34:
        m.dueTime = r.stringVerify();
        break;
      case 42:
        m.ttl = r.stringVerify();
        break;
      case 50:
        m.data = readNested(r, depth, Any.read, m.data);
        break;
      case 58:
        m.failurePolicy = readNested(r, depth, JobFailurePolicy.read, m.failurePolicy);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Job: Codec<Job> = createCodec('dapr.proto.runtime.v1.Job', writeJob, readJob);

export interface ScheduleJobRequest {
  job?: Job | undefined;
  overwrite: boolean;
  unknown?: Uint8Array | undefined;
}
function writeScheduleJobRequest(m: Init<ScheduleJobRequest>, w: Writer): Writer {
  if (m.job) Job.write(m.job, w.uint32(10).fork()).ldelim();
  if (m.overwrite) w.uint32(16).bool(m.overwrite);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readScheduleJobRequest(r: Reader, depth: number, target?: ScheduleJobRequest): ScheduleJobRequest {
  const m: ScheduleJobRequest = target ?? { job: undefined, overwrite: false };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.job = readNested(r, depth, Job.read, m.job);
        break;
      case 16:
        m.overwrite = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ScheduleJobRequest: Codec<ScheduleJobRequest> = createCodec('dapr.proto.runtime.v1.ScheduleJobRequest', writeScheduleJobRequest, readScheduleJobRequest);

export interface ScheduleJobResponse {
  unknown?: Uint8Array | undefined;
}
function writeScheduleJobResponse(m: Init<ScheduleJobResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readScheduleJobResponse(r: Reader, _depth: number, target?: ScheduleJobResponse): ScheduleJobResponse {
  const m: ScheduleJobResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const ScheduleJobResponse: Codec<ScheduleJobResponse> = createCodec('dapr.proto.runtime.v1.ScheduleJobResponse', writeScheduleJobResponse, readScheduleJobResponse);

export interface GetJobRequest {
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeGetJobRequest(m: Init<GetJobRequest>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetJobRequest(r: Reader, _depth: number, target?: GetJobRequest): GetJobRequest {
  const m: GetJobRequest = target ?? { name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetJobRequest: Codec<GetJobRequest> = createCodec('dapr.proto.runtime.v1.GetJobRequest', writeGetJobRequest, readGetJobRequest);

export interface GetJobResponse {
  job?: Job | undefined;
  unknown?: Uint8Array | undefined;
}
function writeGetJobResponse(m: Init<GetJobResponse>, w: Writer): Writer {
  if (m.job) Job.write(m.job, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readGetJobResponse(r: Reader, depth: number, target?: GetJobResponse): GetJobResponse {
  const m: GetJobResponse = target ?? { job: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.job = readNested(r, depth, Job.read, m.job);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const GetJobResponse: Codec<GetJobResponse> = createCodec('dapr.proto.runtime.v1.GetJobResponse', writeGetJobResponse, readGetJobResponse);

export interface DeleteJobRequest {
  name: string;
  unknown?: Uint8Array | undefined;
}
function writeDeleteJobRequest(m: Init<DeleteJobRequest>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDeleteJobRequest(r: Reader, _depth: number, target?: DeleteJobRequest): DeleteJobRequest {
  const m: DeleteJobRequest = target ?? { name: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const DeleteJobRequest: Codec<DeleteJobRequest> = createCodec('dapr.proto.runtime.v1.DeleteJobRequest', writeDeleteJobRequest, readDeleteJobRequest);

export interface DeleteJobResponse {
  unknown?: Uint8Array | undefined;
}
function writeDeleteJobResponse(m: Init<DeleteJobResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDeleteJobResponse(r: Reader, _depth: number, target?: DeleteJobResponse): DeleteJobResponse {
  const m: DeleteJobResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const DeleteJobResponse: Codec<DeleteJobResponse> = createCodec('dapr.proto.runtime.v1.DeleteJobResponse', writeDeleteJobResponse, readDeleteJobResponse);

export interface DeleteJobsByPrefixRequestAlpha1 {
  namePrefix?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeDeleteJobsByPrefixRequestAlpha1(m: Init<DeleteJobsByPrefixRequestAlpha1>, w: Writer): Writer {
  if (m.namePrefix !== undefined) w.uint32(10).string(m.namePrefix);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDeleteJobsByPrefixRequestAlpha1(r: Reader, _depth: number, target?: DeleteJobsByPrefixRequestAlpha1): DeleteJobsByPrefixRequestAlpha1 {
  const m: DeleteJobsByPrefixRequestAlpha1 = target ?? { namePrefix: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.namePrefix = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const DeleteJobsByPrefixRequestAlpha1: Codec<DeleteJobsByPrefixRequestAlpha1> = createCodec('dapr.proto.runtime.v1.DeleteJobsByPrefixRequestAlpha1', writeDeleteJobsByPrefixRequestAlpha1, readDeleteJobsByPrefixRequestAlpha1);

export interface DeleteJobsByPrefixResponseAlpha1 {
  unknown?: Uint8Array | undefined;
}
function writeDeleteJobsByPrefixResponseAlpha1(m: Init<DeleteJobsByPrefixResponseAlpha1>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDeleteJobsByPrefixResponseAlpha1(r: Reader, _depth: number, target?: DeleteJobsByPrefixResponseAlpha1): DeleteJobsByPrefixResponseAlpha1 {
  const m: DeleteJobsByPrefixResponseAlpha1 = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const DeleteJobsByPrefixResponseAlpha1: Codec<DeleteJobsByPrefixResponseAlpha1> = createCodec('dapr.proto.runtime.v1.DeleteJobsByPrefixResponseAlpha1', writeDeleteJobsByPrefixResponseAlpha1, readDeleteJobsByPrefixResponseAlpha1);

export interface DeleteJobsByPrefixRequest {
  namePrefix?: string | undefined;
  unknown?: Uint8Array | undefined;
}
function writeDeleteJobsByPrefixRequest(m: Init<DeleteJobsByPrefixRequest>, w: Writer): Writer {
  if (m.namePrefix !== undefined) w.uint32(10).string(m.namePrefix);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDeleteJobsByPrefixRequest(r: Reader, _depth: number, target?: DeleteJobsByPrefixRequest): DeleteJobsByPrefixRequest {
  const m: DeleteJobsByPrefixRequest = target ?? { namePrefix: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.namePrefix = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const DeleteJobsByPrefixRequest: Codec<DeleteJobsByPrefixRequest> = createCodec('dapr.proto.runtime.v1.DeleteJobsByPrefixRequest', writeDeleteJobsByPrefixRequest, readDeleteJobsByPrefixRequest);

export interface DeleteJobsByPrefixResponse {
  unknown?: Uint8Array | undefined;
}
function writeDeleteJobsByPrefixResponse(m: Init<DeleteJobsByPrefixResponse>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readDeleteJobsByPrefixResponse(r: Reader, _depth: number, target?: DeleteJobsByPrefixResponse): DeleteJobsByPrefixResponse {
  const m: DeleteJobsByPrefixResponse = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const DeleteJobsByPrefixResponse: Codec<DeleteJobsByPrefixResponse> = createCodec('dapr.proto.runtime.v1.DeleteJobsByPrefixResponse', writeDeleteJobsByPrefixResponse, readDeleteJobsByPrefixResponse);

export interface ListJobsRequestAlpha1 {
  unknown?: Uint8Array | undefined;
}
function writeListJobsRequestAlpha1(m: Init<ListJobsRequestAlpha1>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListJobsRequestAlpha1(r: Reader, _depth: number, target?: ListJobsRequestAlpha1): ListJobsRequestAlpha1 {
  const m: ListJobsRequestAlpha1 = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const ListJobsRequestAlpha1: Codec<ListJobsRequestAlpha1> = createCodec('dapr.proto.runtime.v1.ListJobsRequestAlpha1', writeListJobsRequestAlpha1, readListJobsRequestAlpha1);

export interface ListJobsResponseAlpha1 {
  jobs: Job[];
  unknown?: Uint8Array | undefined;
}
function writeListJobsResponseAlpha1(m: Init<ListJobsResponseAlpha1>, w: Writer): Writer {
  if (m.jobs) for (const v of m.jobs) Job.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListJobsResponseAlpha1(r: Reader, depth: number, target?: ListJobsResponseAlpha1): ListJobsResponseAlpha1 {
  const m: ListJobsResponseAlpha1 = target ?? { jobs: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.jobs.push(readNested(r, depth, Job.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListJobsResponseAlpha1: Codec<ListJobsResponseAlpha1> = createCodec('dapr.proto.runtime.v1.ListJobsResponseAlpha1', writeListJobsResponseAlpha1, readListJobsResponseAlpha1);

export interface ListJobsRequest {
  unknown?: Uint8Array | undefined;
}
function writeListJobsRequest(m: Init<ListJobsRequest>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListJobsRequest(r: Reader, _depth: number, target?: ListJobsRequest): ListJobsRequest {
  const m: ListJobsRequest = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const ListJobsRequest: Codec<ListJobsRequest> = createCodec('dapr.proto.runtime.v1.ListJobsRequest', writeListJobsRequest, readListJobsRequest);

export interface ListJobsResponse {
  jobs: Job[];
  unknown?: Uint8Array | undefined;
}
function writeListJobsResponse(m: Init<ListJobsResponse>, w: Writer): Writer {
  if (m.jobs) for (const v of m.jobs) Job.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readListJobsResponse(r: Reader, depth: number, target?: ListJobsResponse): ListJobsResponse {
  const m: ListJobsResponse = target ?? { jobs: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.jobs.push(readNested(r, depth, Job.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ListJobsResponse: Codec<ListJobsResponse> = createCodec('dapr.proto.runtime.v1.ListJobsResponse', writeListJobsResponse, readListJobsResponse);
