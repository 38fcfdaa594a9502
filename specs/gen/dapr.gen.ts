// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/dapr.proto; not by hand.
// The API that a sidecar serves to its app.
import { createCodec, keepUnknown, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { ExecuteActorStateTransactionRequest, GetActorReminderRequest, GetActorReminderResponse, GetActorStateRequest, GetActorStateResponse, InvokeActorRequest, InvokeActorResponse, ListActorRemindersRequest, ListActorRemindersResponse, RegisterActorReminderRequest, RegisterActorTimerRequest, SubscribeActorEventsRequestAlpha1, SubscribeActorEventsResponseAlpha1, UnregisterActorReminderRequest, UnregisterActorRemindersByTypeRequest, UnregisterActorRemindersByTypeResponse, UnregisterActorTimerRequest } from './actors.gen.ts';
import { ConversationRequest, ConversationRequestAlpha2, ConversationResponse, ConversationResponseAlpha2 } from './ai.gen.ts';
import { InvokeBindingRequest, InvokeBindingResponse } from './binding.gen.ts';
import { InvokeResponse } from './common.gen.ts';
import { GetConfigurationRequest, GetConfigurationResponse, SubscribeConfigurationRequest, SubscribeConfigurationResponse, UnsubscribeConfigurationRequest, UnsubscribeConfigurationResponse } from './configuration.gen.ts';
import { DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, SubtleDecryptRequest, SubtleDecryptResponse, SubtleEncryptRequest, SubtleEncryptResponse, SubtleGetKeyRequest, SubtleGetKeyResponse, SubtleSignRequest, SubtleSignResponse, SubtleUnwrapKeyRequest, SubtleUnwrapKeyResponse, SubtleVerifyRequest, SubtleVerifyResponse, SubtleWrapKeyRequest, SubtleWrapKeyResponse } from './crypto.gen.ts';
import { Empty } from './empty.gen.ts';
import { InvokeServiceRequest } from './invoke.gen.ts';
import { DeleteJobRequest, DeleteJobResponse, DeleteJobsByPrefixRequest, DeleteJobsByPrefixRequestAlpha1, DeleteJobsByPrefixResponse, DeleteJobsByPrefixResponseAlpha1, GetJobRequest, GetJobResponse, ListJobsRequest, ListJobsRequestAlpha1, ListJobsResponse, ListJobsResponseAlpha1, ScheduleJobRequest, ScheduleJobResponse } from './jobs.gen.ts';
import { TryLockRequest, TryLockResponse, UnlockRequest, UnlockResponse } from './lock.gen.ts';
import { GetMetadataRequest, GetMetadataResponse, SetMetadataRequest } from './metadata.gen.ts';
import { BulkPublishRequest, BulkPublishResponse, PublishEventRequest, SubscribeTopicEventsRequestAlpha1, SubscribeTopicEventsResponseAlpha1 } from './pubsub.gen.ts';
import { GetBulkSecretRequest, GetBulkSecretResponse, GetSecretRequest, GetSecretResponse } from './secret.gen.ts';
import { DeleteBulkStateRequest, DeleteStateRequest, ExecuteStateTransactionRequest, GetBulkStateRequest, GetBulkStateResponse, GetStateRequest, GetStateResponse, QueryStateRequest, QueryStateResponse, SaveStateRequest } from './state.gen.ts';
import { GetWorkflowRequest, GetWorkflowResponse, PauseWorkflowRequest, PurgeWorkflowRequest, RaiseEventWorkflowRequest, ResumeWorkflowRequest, StartWorkflowRequest, StartWorkflowResponse, TerminateWorkflowRequest } from './workflow.gen.ts';

/** Answered at once; the sidecar then drains and ends. */
export interface ShutdownRequest {
  unknown?: Uint8Array | undefined;
}
function writeShutdownRequest(m: Init<ShutdownRequest>, w: Writer): Writer {
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readShutdownRequest(r: Reader, _depth: number, target?: ShutdownRequest): ShutdownRequest {
  const m: ShutdownRequest = target ?? {};
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    m.unknown = keepUnknown(r, tag, start, m.unknown);
  }
  return m;
}
export const ShutdownRequest: Codec<ShutdownRequest> = createCodec('dapr.proto.runtime.v1.ShutdownRequest', writeShutdownRequest, readShutdownRequest);

/** Methods that end in Alpha1, Alpha2 or Beta1 may still change; clients that know a later name try that one first. */
export const Dapr = {
  InvokeService: {
    path: '/dapr.proto.runtime.v1.Dapr/InvokeService',
    requestStream: false,
    responseStream: false,
    request: InvokeServiceRequest,
    response: InvokeResponse,
  },
  GetState: {
    path: '/dapr.proto.runtime.v1.Dapr/GetState',
    requestStream: false,
    responseStream: false,
    request: GetStateRequest,
    response: GetStateResponse,
  },
  GetBulkState: {
    path: '/dapr.proto.runtime.v1.Dapr/GetBulkState',
    requestStream: false,
    responseStream: false,
    request: GetBulkStateRequest,
    response: GetBulkStateResponse,
  },
  SaveState: {
    path: '/dapr.proto.runtime.v1.Dapr/SaveState',
    requestStream: false,
    responseStream: false,
    request: SaveStateRequest,
    response: Empty,
  },
  QueryStateAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/QueryStateAlpha1',
    requestStream: false,
    responseStream: false,
    request: QueryStateRequest,
    response: QueryStateResponse,
  },
  DeleteState: {
    path: '/dapr.proto.runtime.v1.Dapr/DeleteState',
    requestStream: false,
    responseStream: false,
    request: DeleteStateRequest,
    response: Empty,
  },
  DeleteBulkState: {
    path: '/dapr.proto.runtime.v1.Dapr/DeleteBulkState',
    requestStream: false,
    responseStream: false,
    request: DeleteBulkStateRequest,
    response: Empty,
  },
  ExecuteStateTransaction: {
    path: '/dapr.proto.runtime.v1.Dapr/ExecuteStateTransaction',
    requestStream: false,
    responseStream: false,
    request: ExecuteStateTransactionRequest,
    response: Empty,
  },
  PublishEvent: {
    path: '/dapr.proto.runtime.v1.Dapr/PublishEvent',
    requestStream: false,
    responseStream: false,
    request: PublishEventRequest,
    response: Empty,
  },
  BulkPublishEventAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/BulkPublishEventAlpha1',
    requestStream: false,
    responseStream: false,
    request: BulkPublishRequest,
    response: BulkPublishResponse,
  },
  BulkPublishEvent: {
    path: '/dapr.proto.runtime.v1.Dapr/BulkPublishEvent',
    requestStream: false,
    responseStream: false,
    request: BulkPublishRequest,
    response: BulkPublishResponse,
  },
  SubscribeTopicEventsAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubscribeTopicEventsAlpha1',
    requestStream: true,
    responseStream: true,
    request: SubscribeTopicEventsRequestAlpha1,
    response: SubscribeTopicEventsResponseAlpha1,
  },
  InvokeBinding: {
    path: '/dapr.proto.runtime.v1.Dapr/InvokeBinding',
    requestStream: false,
    responseStream: false,
    request: InvokeBindingRequest,
    response: InvokeBindingResponse,
  },
  GetSecret: {
    path: '/dapr.proto.runtime.v1.Dapr/GetSecret',
    requestStream: false,
    responseStream: false,
    request: GetSecretRequest,
    response: GetSecretResponse,
  },
  GetBulkSecret: {
    path: '/dapr.proto.runtime.v1.Dapr/GetBulkSecret',
    requestStream: false,
    responseStream: false,
    request: GetBulkSecretRequest,
    response: GetBulkSecretResponse,
  },
  RegisterActorTimer: {
    path: '/dapr.proto.runtime.v1.Dapr/RegisterActorTimer',
    requestStream: false,
    responseStream: false,
    request: RegisterActorTimerRequest,
    response: Empty,
  },
  UnregisterActorTimer: {
    path: '/dapr.proto.runtime.v1.Dapr/UnregisterActorTimer',
    requestStream: false,
    responseStream: false,
    request: UnregisterActorTimerRequest,
    response: Empty,
  },
  RegisterActorReminder: {
    path: '/dapr.proto.runtime.v1.Dapr/RegisterActorReminder',
    requestStream: false,
    responseStream: false,
    request: RegisterActorReminderRequest,
    response: Empty,
  },
  UnregisterActorReminder: {
    path: '/dapr.proto.runtime.v1.Dapr/UnregisterActorReminder',
    requestStream: false,
    responseStream: false,
    request: UnregisterActorReminderRequest,
    response: Empty,
  },
  UnregisterActorRemindersByType: {
    path: '/dapr.proto.runtime.v1.Dapr/UnregisterActorRemindersByType',
    requestStream: false,
    responseStream: false,
    request: UnregisterActorRemindersByTypeRequest,
    response: UnregisterActorRemindersByTypeResponse,
  },
  ListActorReminders: {
    path: '/dapr.proto.runtime.v1.Dapr/ListActorReminders',
    requestStream: false,
    responseStream: false,
    request: ListActorRemindersRequest,
    response: ListActorRemindersResponse,
  },
  GetActorState: {
    path: '/dapr.proto.runtime.v1.Dapr/GetActorState',
    requestStream: false,
    responseStream: false,
    request: GetActorStateRequest,
    response: GetActorStateResponse,
  },
  GetActorReminder: {
    path: '/dapr.proto.runtime.v1.Dapr/GetActorReminder',
    requestStream: false,
    responseStream: false,
    request: GetActorReminderRequest,
    response: GetActorReminderResponse,
  },
  ExecuteActorStateTransaction: {
    path: '/dapr.proto.runtime.v1.Dapr/ExecuteActorStateTransaction',
    requestStream: false,
    responseStream: false,
    request: ExecuteActorStateTransactionRequest,
    response: Empty,
  },
  InvokeActor: {
    path: '/dapr.proto.runtime.v1.Dapr/InvokeActor',
    requestStream: false,
    responseStream: false,
    request: InvokeActorRequest,
    response: InvokeActorResponse,
  },
  SubscribeActorEventsAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubscribeActorEventsAlpha1',
    requestStream: true,
    responseStream: true,
    request: SubscribeActorEventsRequestAlpha1,
    response: SubscribeActorEventsResponseAlpha1,
  },
  GetConfigurationAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/GetConfigurationAlpha1',
    requestStream: false,
    responseStream: false,
    request: GetConfigurationRequest,
    response: GetConfigurationResponse,
  },
  GetConfiguration: {
    path: '/dapr.proto.runtime.v1.Dapr/GetConfiguration',
    requestStream: false,
    responseStream: false,
    request: GetConfigurationRequest,
    response: GetConfigurationResponse,
  },
  SubscribeConfigurationAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubscribeConfigurationAlpha1',
    requestStream: false,
    responseStream: true,
    request: SubscribeConfigurationRequest,
    response: SubscribeConfigurationResponse,
  },
  SubscribeConfiguration: {
    path: '/dapr.proto.runtime.v1.Dapr/SubscribeConfiguration',
    requestStream: false,
    responseStream: true,
    request: SubscribeConfigurationRequest,
    response: SubscribeConfigurationResponse,
  },
  UnsubscribeConfigurationAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/UnsubscribeConfigurationAlpha1',
    requestStream: false,
    responseStream: false,
    request: UnsubscribeConfigurationRequest,
    response: UnsubscribeConfigurationResponse,
  },
  UnsubscribeConfiguration: {
    path: '/dapr.proto.runtime.v1.Dapr/UnsubscribeConfiguration',
    requestStream: false,
    responseStream: false,
    request: UnsubscribeConfigurationRequest,
    response: UnsubscribeConfigurationResponse,
  },
  TryLockAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/TryLockAlpha1',
    requestStream: false,
    responseStream: false,
    request: TryLockRequest,
    response: TryLockResponse,
  },
  UnlockAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/UnlockAlpha1',
    requestStream: false,
    responseStream: false,
    request: UnlockRequest,
    response: UnlockResponse,
  },
  EncryptAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/EncryptAlpha1',
    requestStream: true,
    responseStream: true,
    request: EncryptRequest,
    response: EncryptResponse,
  },
  DecryptAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/DecryptAlpha1',
    requestStream: true,
    responseStream: true,
    request: DecryptRequest,
    response: DecryptResponse,
  },
  GetMetadata: {
    path: '/dapr.proto.runtime.v1.Dapr/GetMetadata',
    requestStream: false,
    responseStream: false,
    request: GetMetadataRequest,
    response: GetMetadataResponse,
  },
  SetMetadata: {
    path: '/dapr.proto.runtime.v1.Dapr/SetMetadata',
    requestStream: false,
    responseStream: false,
    request: SetMetadataRequest,
    response: Empty,
  },
  SubtleGetKeyAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubtleGetKeyAlpha1',
    requestStream: false,
    responseStream: false,
    request: SubtleGetKeyRequest,
    response: SubtleGetKeyResponse,
  },
  SubtleEncryptAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubtleEncryptAlpha1',
    requestStream: false,
    responseStream: false,
    request: SubtleEncryptRequest,
    response: SubtleEncryptResponse,
  },
  SubtleDecryptAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubtleDecryptAlpha1',
    requestStream: false,
    responseStream: false,
    request: SubtleDecryptRequest,
    response: SubtleDecryptResponse,
  },
  SubtleWrapKeyAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubtleWrapKeyAlpha1',
    requestStream: false,
    responseStream: false,
    request: SubtleWrapKeyRequest,
    response: SubtleWrapKeyResponse,
  },
  SubtleUnwrapKeyAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubtleUnwrapKeyAlpha1',
    requestStream: false,
    responseStream: false,
    request: SubtleUnwrapKeyRequest,
    response: SubtleUnwrapKeyResponse,
  },
  SubtleSignAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubtleSignAlpha1',
    requestStream: false,
    responseStream: false,
    request: SubtleSignRequest,
    response: SubtleSignResponse,
  },
  SubtleVerifyAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/SubtleVerifyAlpha1',
    requestStream: false,
    responseStream: false,
    request: SubtleVerifyRequest,
    response: SubtleVerifyResponse,
  },
  StartWorkflowAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/StartWorkflowAlpha1',
    requestStream: false,
    responseStream: false,
    request: StartWorkflowRequest,
    response: StartWorkflowResponse,
  },
  GetWorkflowAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/GetWorkflowAlpha1',
    requestStream: false,
    responseStream: false,
    request: GetWorkflowRequest,
    response: GetWorkflowResponse,
  },
  PurgeWorkflowAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/PurgeWorkflowAlpha1',
    requestStream: false,
    responseStream: false,
    request: PurgeWorkflowRequest,
    response: Empty,
  },
  TerminateWorkflowAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/TerminateWorkflowAlpha1',
    requestStream: false,
    responseStream: false,
    request: TerminateWorkflowRequest,
    response: Empty,
  },
  PauseWorkflowAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/PauseWorkflowAlpha1',
    requestStream: false,
    responseStream: false,
    request: PauseWorkflowRequest,
    response: Empty,
  },
  ResumeWorkflowAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/ResumeWorkflowAlpha1',
    requestStream: false,
    responseStream: false,
    request: ResumeWorkflowRequest,
    response: Empty,
  },
  RaiseEventWorkflowAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/RaiseEventWorkflowAlpha1',
    requestStream: false,
    responseStream: false,
    request: RaiseEventWorkflowRequest,
    response: Empty,
  },
  StartWorkflowBeta1: {
    path: '/dapr.proto.runtime.v1.Dapr/StartWorkflowBeta1',
    requestStream: false,
    responseStream: false,
    request: StartWorkflowRequest,
    response: StartWorkflowResponse,
  },
  GetWorkflowBeta1: {
    path: '/dapr.proto.runtime.v1.Dapr/GetWorkflowBeta1',
    requestStream: false,
    responseStream: false,
    request: GetWorkflowRequest,
    response: GetWorkflowResponse,
  },
  PurgeWorkflowBeta1: {
    path: '/dapr.proto.runtime.v1.Dapr/PurgeWorkflowBeta1',
    requestStream: false,
    responseStream: false,
    request: PurgeWorkflowRequest,
    response: Empty,
  },
  TerminateWorkflowBeta1: {
    path: '/dapr.proto.runtime.v1.Dapr/TerminateWorkflowBeta1',
    requestStream: false,
    responseStream: false,
    request: TerminateWorkflowRequest,
    response: Empty,
  },
  PauseWorkflowBeta1: {
    path: '/dapr.proto.runtime.v1.Dapr/PauseWorkflowBeta1',
    requestStream: false,
    responseStream: false,
    request: PauseWorkflowRequest,
    response: Empty,
  },
  ResumeWorkflowBeta1: {
    path: '/dapr.proto.runtime.v1.Dapr/ResumeWorkflowBeta1',
    requestStream: false,
    responseStream: false,
    request: ResumeWorkflowRequest,
    response: Empty,
  },
  RaiseEventWorkflowBeta1: {
    path: '/dapr.proto.runtime.v1.Dapr/RaiseEventWorkflowBeta1',
    requestStream: false,
    responseStream: false,
    request: RaiseEventWorkflowRequest,
    response: Empty,
  },
  Shutdown: {
    path: '/dapr.proto.runtime.v1.Dapr/Shutdown',
    requestStream: false,
    responseStream: false,
    request: ShutdownRequest,
    response: Empty,
  },
  ScheduleJobAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/ScheduleJobAlpha1',
    requestStream: false,
    responseStream: false,
    request: ScheduleJobRequest,
    response: ScheduleJobResponse,
  },
  ScheduleJob: {
    path: '/dapr.proto.runtime.v1.Dapr/ScheduleJob',
    requestStream: false,
    responseStream: false,
    request: ScheduleJobRequest,
    response: ScheduleJobResponse,
  },
  GetJobAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/GetJobAlpha1',
    requestStream: false,
    responseStream: false,
    request: GetJobRequest,
    response: GetJobResponse,
  },
  GetJob: {
    path: '/dapr.proto.runtime.v1.Dapr/GetJob',
    requestStream: false,
    responseStream: false,
    request: GetJobRequest,
    response: GetJobResponse,
  },
  DeleteJobAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/DeleteJobAlpha1',
    requestStream: false,
    responseStream: false,
    request: DeleteJobRequest,
    response: DeleteJobResponse,
  },
  DeleteJob: {
    path: '/dapr.proto.runtime.v1.Dapr/DeleteJob',
    requestStream: false,
    responseStream: false,
    request: DeleteJobRequest,
    response: DeleteJobResponse,
  },
  DeleteJobsByPrefixAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/DeleteJobsByPrefixAlpha1',
    requestStream: false,
    responseStream: false,
    request: DeleteJobsByPrefixRequestAlpha1,
    response: DeleteJobsByPrefixResponseAlpha1,
  },
  DeleteJobsByPrefix: {
    path: '/dapr.proto.runtime.v1.Dapr/DeleteJobsByPrefix',
    requestStream: false,
    responseStream: false,
    request: DeleteJobsByPrefixRequest,
    response: DeleteJobsByPrefixResponse,
  },
  ListJobsAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/ListJobsAlpha1',
    requestStream: false,
    responseStream: false,
    request: ListJobsRequestAlpha1,
    response: ListJobsResponseAlpha1,
  },
  ListJobs: {
    path: '/dapr.proto.runtime.v1.Dapr/ListJobs',
    requestStream: false,
    responseStream: false,
    request: ListJobsRequest,
    response: ListJobsResponse,
  },
  ConverseAlpha1: {
    path: '/dapr.proto.runtime.v1.Dapr/ConverseAlpha1',
    requestStream: false,
    responseStream: false,
    request: ConversationRequest,
    response: ConversationResponse,
  },
  ConverseAlpha2: {
    path: '/dapr.proto.runtime.v1.Dapr/ConverseAlpha2',
    requestStream: false,
    responseStream: false,
    request: ConversationRequestAlpha2,
    response: ConversationResponseAlpha2,
  },
} as const;
