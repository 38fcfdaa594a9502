// Written by scripts/generate-proto.ts from specs/proto/dapr/proto/runtime/v1/ai.proto; not by hand.
// Conversations with language models.
import { NO_BYTES, createCodec, keepUnknown, readEntry, readNested, toNumber, type Codec, type Init, type Reader, type Writer } from '../codec.ts';
import { Any } from './any.gen.ts';
import { Duration } from './duration.gen.ts';
import { Struct } from './struct.gen.ts';

export interface ConversationRequest {
  name: string;
  contextID?: string | undefined;
  inputs: ConversationInput[];
  parameters: Record<string, Any>;
  metadata: Record<string, string>;
  scrubPII?: boolean | undefined;
  temperature?: number | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationRequest(m: Init<ConversationRequest>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.contextID !== undefined) w.uint32(18).string(m.contextID);
  if (m.inputs) for (const v of m.inputs) ConversationInput.write(v, w.uint32(26).fork()).ldelim();
  if (m.parameters) {
    for (const [k, v] of Object.entries(m.parameters)) {
      if (v === undefined) continue;
      w.uint32(34).fork().uint32(10).string(k);
      Any.write(v, w.uint32(18).fork()).ldelim();
      w.ldelim();
    }
  }
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(42).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.scrubPII !== undefined) w.uint32(48).bool(m.scrubPII);
  if (m.temperature !== undefined) w.uint32(57).double(m.temperature);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationRequest(r: Reader, depth: number, target?: ConversationRequest): ConversationRequest {
  const m: ConversationRequest = target ?? { name: '', contextID: undefined, inputs: [], parameters: {}, metadata: {}, scrubPII: undefined, temperature: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.contextID = r.stringVerify();
        break;
      case 26:
        m.inputs.push(readNested(r, depth, ConversationInput.read));
        break;
      case 34:
        readEntry(r, m.parameters, Any.decode(NO_BYTES), (r) => readNested(r, depth, Any.read), 18);
        break;
      case 42:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      case 48:
        m.scrubPII = r.bool();
        break;
      case 57:
        m.temperature = r.double();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationRequest: Codec<ConversationRequest> = createCodec('dapr.proto.runtime.v1.ConversationRequest', writeConversationRequest, readConversationRequest);

export interface ConversationRequestAlpha2 {
  name: string;
  contextId?: string | undefined;
  inputs: ConversationInputAlpha2[];
  parameters: Record<string, Any>;
  metadata: Record<string, string>;
  scrubPii?: boolean | undefined;
  temperature?: number | undefined;
  tools: ConversationTools[];
  /** `auto`, `none`, `required`, or the name of one of the tools. */
  toolChoice?: string | undefined;
  responseFormat?: Struct | undefined;
  promptCacheRetention?: Duration | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationRequestAlpha2(m: Init<ConversationRequestAlpha2>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.contextId !== undefined) w.uint32(18).string(m.contextId);
  if (m.inputs) for (const v of m.inputs) ConversationInputAlpha2.write(v, w.uint32(26).fork()).ldelim();
  if (m.parameters) {
    for (const [k, v] of Object.entries(m.parameters)) {
      if (v === undefined) continue;
      w.uint32(34).fork().uint32(10).string(k);
      Any.write(v, w.uint32(18).fork()).ldelim();
      w.ldelim();
    }
  }
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(42).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.scrubPii !== undefined) w.uint32(48).bool(m.scrubPii);
  if (m.temperature !== undefined) w.uint32(57).double(m.temperature);
  if (m.tools) for (const v of m.tools) ConversationTools.write(v, w.uint32(66).fork()).ldelim();
  if (m.toolChoice !== undefined) w.uint32(74).string(m.toolChoice);
  if (m.responseFormat) Struct.write(m.responseFormat, w.uint32(82).fork()).ldelim();
  if (m.promptCacheRetention) Duration.write(m.promptCacheRetention, w.uint32(90).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationRequestAlpha2(r: Reader, depth: number, target?: ConversationRequestAlpha2): ConversationRequestAlpha2 {
  const m: ConversationRequestAlpha2 = target ?? { name: '', contextId: undefined, inputs: [], parameters: {}, metadata: {}, scrubPii: undefined, temperature: undefined, tools: [], toolChoice: undefined, responseFormat: undefined, promptCacheRetention: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.contextId = r.stringVerify();
        break;
      case 26:
        m.inputs.push(readNested(r, depth, ConversationInputAlpha2.read));
        break;
      case 34:
        readEntry(r, m.parameters, Any.decode(NO_BYTES), (r) => readNested(r, depth, Any.read), 18);
        break;
      case 42:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      case 48:
        m.scrubPii = r.bool();
        break;
      case 57:
        m.temperature = r.double();
        break;
      case 66:
        m.tools.push(readNested(r, depth, ConversationTools.read));
        break;
      case 74:
        m.toolChoice = r.stringVerify();
        break;
      case 82:
        m.responseFormat = readNested(r, depth, Struct.read, m.responseFormat);
        break;
      case 90:
        m.promptCacheRetention = readNested(r, depth, Duration.read, m.promptCacheRetention);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationRequestAlpha2: Codec<ConversationRequestAlpha2> = createCodec('dapr.proto.runtime.v1.ConversationRequestAlpha2', writeConversationRequestAlpha2, readConversationRequestAlpha2);

export interface ConversationInput {
  content: string;
  role?: string | undefined;
  scrubPII?: boolean | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationInput(m: Init<ConversationInput>, w: Writer): Writer {
  if (m.content) w.uint32(10).string(m.content);
  if (m.role !== undefined) w.uint32(18).string(m.role);
  if (m.scrubPII !== undefined) w.uint32(24).bool(m.scrubPII);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationInput(r: Reader, _depth: number, target?: ConversationInput): ConversationInput {
  const m: ConversationInput = target ?? { content: '', role: undefined, scrubPII: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.content = r.stringVerify();
        break;
      case 18:
        m.role = r.stringVerify();
        break;
      case 24:
        m.scrubPII = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationInput: Codec<ConversationInput> = createCodec('dapr.proto.runtime.v1.ConversationInput', writeConversationInput, readConversationInput);

export interface ConversationInputAlpha2 {
  messages: ConversationMessage[];
  scrubPii?: boolean | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationInputAlpha2(m: Init<ConversationInputAlpha2>, w: Writer): Writer {
  if (m.messages) for (const v of m.messages) ConversationMessage.write(v, w.uint32(10).fork()).ldelim();
  if (m.scrubPii !== undefined) w.uint32(16).bool(m.scrubPii);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationInputAlpha2(r: Reader, depth: number, target?: ConversationInputAlpha2): ConversationInputAlpha2 {
  const m: ConversationInputAlpha2 = target ?? { messages: [], scrubPii: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.messages.push(readNested(r, depth, ConversationMessage.read));
        break;
      case 16:
        m.scrubPii = r.bool();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationInputAlpha2: Codec<ConversationInputAlpha2> = createCodec('dapr.proto.runtime.v1.ConversationInputAlpha2', writeConversationInputAlpha2, readConversationInputAlpha2);

export interface ConversationMessage {
  ofDeveloper?: ConversationMessageOfDeveloper | undefined;
  ofSystem?: ConversationMessageOfSystem | undefined;
  ofUser?: ConversationMessageOfUser | undefined;
  ofAssistant?: ConversationMessageOfAssistant | undefined;
  ofTool?: ConversationMessageOfTool | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationMessage(m: Init<ConversationMessage>, w: Writer): Writer {
  if (m.ofDeveloper) ConversationMessageOfDeveloper.write(m.ofDeveloper, w.uint32(10).fork()).ldelim();
  if (m.ofSystem) ConversationMessageOfSystem.write(m.ofSystem, w.uint32(18).fork()).ldelim();
  if (m.ofUser) ConversationMessageOfUser.write(m.ofUser, w.uint32(26).fork()).ldelim();
  if (m.ofAssistant) ConversationMessageOfAssistant.write(m.ofAssistant, w.uint32(34).fork()).ldelim();
  if (m.ofTool) ConversationMessageOfTool.write(m.ofTool, w.uint32(42).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationMessage(r: Reader, depth: number, target?: ConversationMessage): ConversationMessage {
  const m: ConversationMessage = target ?? { ofDeveloper: undefined, ofSystem: undefined, ofUser: undefined, ofAssistant: undefined, ofTool: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.ofDeveloper = readNested(r, depth, ConversationMessageOfDeveloper.read, m.ofDeveloper);
        m.ofSystem = undefined;
        m.ofUser = undefined;
        m.ofAssistant = undefined;
        m.ofTool = undefined;
        break;
      case 18:
        m.ofSystem = readNested(r, depth, ConversationMessageOfSystem.read, m.ofSystem);
        m.ofDeveloper = undefined;
        m.ofUser = undefined;
        m.ofAssistant = undefined;
        m.ofTool = undefined;
        break;
      case 26:
        m.ofUser = readNested(r, depth, ConversationMessageOfUser.read, m.ofUser);
        m.ofDeveloper = undefined;
        m.ofSystem = undefined;
        m.ofAssistant = undefined;
        m.ofTool = undefined;
        break;
      case 34:
        m.ofAssistant = readNested(r, depth, ConversationMessageOfAssistant.read, m.ofAssistant);
        m.ofDeveloper = undefined;
        m.ofSystem = undefined;
        m.ofUser = undefined;
        m.ofTool = undefined;
        break;
      case 42:
        m.ofTool = readNested(r, depth, ConversationMessageOfTool.read, m.ofTool);
        m.ofDeveloper = undefined;
        m.ofSystem = undefined;
        m.ofUser = undefined;
        m.ofAssistant = undefined;
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationMessage: Codec<ConversationMessage> = createCodec('dapr.proto.runtime.v1.ConversationMessage', writeConversationMessage, readConversationMessage);

export interface ConversationMessageOfDeveloper {
  name?: string | undefined;
  content: ConversationMessageContent[];
  unknown?: Uint8Array | undefined;
}
function writeConversationMessageOfDeveloper(m: Init<ConversationMessageOfDeveloper>, w: Writer): Writer {
  if (m.name !== undefined) w.uint32(10).string(m.name);
  if (m.content) for (const v of m.content) ConversationMessageContent.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationMessageOfDeveloper(r: Reader, depth: number, target?: ConversationMessageOfDeveloper): ConversationMessageOfDeveloper {
  const m: ConversationMessageOfDeveloper = target ?? { name: undefined, content: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.content.push(readNested(r, depth, ConversationMessageContent.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationMessageOfDeveloper: Codec<ConversationMessageOfDeveloper> = createCodec('dapr.proto.runtime.v1.ConversationMessageOfDeveloper', writeConversationMessageOfDeveloper, readConversationMessageOfDeveloper);

export interface ConversationMessageOfSystem {
  name?: string | undefined;
  content: ConversationMessageContent[];
  unknown?: Uint8Array | undefined;
}
function writeConversationMessageOfSystem(m: Init<ConversationMessageOfSystem>, w: Writer): Writer {
  if (m.name !== undefined) w.uint32(10).string(m.name);
  if (m.content) for (const v of m.content) ConversationMessageContent.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationMessageOfSystem(r: Reader, depth: number, target?: ConversationMessageOfSystem): ConversationMessageOfSystem {
  const m: ConversationMessageOfSystem = target ?? { name: undefined, content: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.content.push(readNested(r, depth, ConversationMessageContent.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationMessageOfSystem: Codec<ConversationMessageOfSystem> = createCodec('dapr.proto.runtime.v1.ConversationMessageOfSystem', writeConversationMessageOfSystem, readConversationMessageOfSystem);

export interface ConversationMessageOfUser {
  name?: string | undefined;
  content: ConversationMessageContent[];
  unknown?: Uint8Array | undefined;
}
function writeConversationMessageOfUser(m: Init<ConversationMessageOfUser>, w: Writer): Writer {
  if (m.name !== undefined) w.uint32(10).string(m.name);
  if (m.content) for (const v of m.content) ConversationMessageContent.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationMessageOfUser(r: Reader, depth: number, target?: ConversationMessageOfUser): ConversationMessageOfUser {
  const m: ConversationMessageOfUser = target ?? { name: undefined, content: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.content.push(readNested(r, depth, ConversationMessageContent.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationMessageOfUser: Codec<ConversationMessageOfUser> = createCodec('dapr.proto.runtime.v1.ConversationMessageOfUser', writeConversationMessageOfUser, readConversationMessageOfUser);

export interface ConversationMessageOfAssistant {
  name?: string | undefined;
  content: ConversationMessageContent[];
  toolCalls: ConversationToolCalls[];
  unknown?: Uint8Array | undefined;
}
function writeConversationMessageOfAssistant(m: Init<ConversationMessageOfAssistant>, w: Writer): Writer {
  if (m.name !== undefined) w.uint32(10).string(m.name);
  if (m.content) for (const v of m.content) ConversationMessageContent.write(v, w.uint32(18).fork()).ldelim();
  if (m.toolCalls) for (const v of m.toolCalls) ConversationToolCalls.write(v, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationMessageOfAssistant(r: Reader, depth: number, target?: ConversationMessageOfAssistant): ConversationMessageOfAssistant {
  const m: ConversationMessageOfAssistant = target ?? { name: undefined, content: [], toolCalls: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.content.push(readNested(r, depth, ConversationMessageContent.read));
        break;
      case 26:
        m.toolCalls.push(readNested(r, depth, ConversationToolCalls.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationMessageOfAssistant: Codec<ConversationMessageOfAssistant> = createCodec('dapr.proto.runtime.v1.ConversationMessageOfAssistant', writeConversationMessageOfAssistant, readConversationMessageOfAssistant);

export interface ConversationMessageOfTool {
  toolId?: string | undefined;
  name: string;
  content: ConversationMessageContent[];
  unknown?: Uint8Array | undefined;
}
function writeConversationMessageOfTool(m: Init<ConversationMessageOfTool>, w: Writer): Writer {
  if (m.toolId !== undefined) w.uint32(10).string(m.toolId);
  if (m.name) w.uint32(18).string(m.name);
  if (m.content) for (const v of m.content) ConversationMessageContent.write(v, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationMessageOfTool(r: Reader, depth: number, target?: ConversationMessageOfTool): ConversationMessageOfTool {
  const m: ConversationMessageOfTool = target ?? { toolId: undefined, name: '', content: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.toolId = r.stringVerify();
        break;
      case 18:
        m.name = r.stringVerify();
        break;
      case 26:
        m.content.push(readNested(r, depth, ConversationMessageContent.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationMessageOfTool: Codec<ConversationMessageOfTool> = createCodec('dapr.proto.runtime.v1.ConversationMessageOfTool', writeConversationMessageOfTool, readConversationMessageOfTool);

export interface ConversationToolCalls {
  id?: string | undefined;
  function?: ConversationToolCallsOfFunction | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationToolCalls(m: Init<ConversationToolCalls>, w: Writer): Writer {
  if (m.id !== undefined) w.uint32(10).string(m.id);
  if (m.function) ConversationToolCallsOfFunction.write(m.function, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationToolCalls(r: Reader, depth: number, target?: ConversationToolCalls): ConversationToolCalls {
  const m: ConversationToolCalls = target ?? { id: undefined, function: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.id = r.stringVerify();
        break;
      case 18:
        m.function = readNested(r, depth, ConversationToolCallsOfFunction.read, m.function);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationToolCalls: Codec<ConversationToolCalls> = createCodec('dapr.proto.runtime.v1.ConversationToolCalls', writeConversationToolCalls, readConversationToolCalls);

export interface ConversationToolCallsOfFunction {
  name: string;
  /** JSON. */
  arguments: string;
  unknown?: Uint8Array | undefined;
}
function writeConversationToolCallsOfFunction(m: Init<ConversationToolCallsOfFunction>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.arguments) w.uint32(18).string(m.arguments);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationToolCallsOfFunction(r: Reader, _depth: number, target?: ConversationToolCallsOfFunction): ConversationToolCallsOfFunction {
  const m: ConversationToolCallsOfFunction = target ?? { name: '', arguments: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.arguments = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationToolCallsOfFunction: Codec<ConversationToolCallsOfFunction> = createCodec('dapr.proto.runtime.v1.ConversationToolCallsOfFunction', writeConversationToolCallsOfFunction, readConversationToolCallsOfFunction);

export interface ConversationMessageContent {
  text: string;
  unknown?: Uint8Array | undefined;
}
function writeConversationMessageContent(m: Init<ConversationMessageContent>, w: Writer): Writer {
  if (m.text) w.uint32(10).string(m.text);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationMessageContent(r: Reader, _depth: number, target?: ConversationMessageContent): ConversationMessageContent {
  const m: ConversationMessageContent = target ?? { text: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.text = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationMessageContent: Codec<ConversationMessageContent> = createCodec('dapr.proto.runtime.v1.ConversationMessageContent', writeConversationMessageContent, readConversationMessageContent);

export interface ConversationResult {
  result: string;
  parameters: Record<string, Any>;
  unknown?: Uint8Array | undefined;
}
function writeConversationResult(m: Init<ConversationResult>, w: Writer): Writer {
  if (m.result) w.uint32(10).string(m.result);
  if (m.parameters) {
    for (const [k, v] of Object.entries(m.parameters)) {
      if (v === undefined) continue;
      w.uint32(18).fork().uint32(10).string(k);
      Any.write(v, w.uint32(18).fork()).ldelim();
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResult(r: Reader, depth: number, target?: ConversationResult): ConversationResult {
  const m: ConversationResult = target ?? { result: '', parameters: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.result = r.stringVerify();
        break;
      case 18:
        readEntry(r, m.parameters, Any.decode(NO_BYTES), (r) => readNested(r, depth, Any.read), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResult: Codec<ConversationResult> = createCodec('dapr.proto.runtime.v1.ConversationResult', writeConversationResult, readConversationResult);

export interface ConversationResultAlpha2 {
  choices: ConversationResultChoices[];
  model?: string | undefined;
  usage?: ConversationResultAlpha2CompletionUsage | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationResultAlpha2(m: Init<ConversationResultAlpha2>, w: Writer): Writer {
  if (m.choices) for (const v of m.choices) ConversationResultChoices.write(v, w.uint32(10).fork()).ldelim();
  if (m.model !== undefined) w.uint32(18).string(m.model);
  if (m.usage) ConversationResultAlpha2CompletionUsage.write(m.usage, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResultAlpha2(r: Reader, depth: number, target?: ConversationResultAlpha2): ConversationResultAlpha2 {
  const m: ConversationResultAlpha2 = target ?? { choices: [], model: undefined, usage: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.choices.push(readNested(r, depth, ConversationResultChoices.read));
        break;
      case 18:
        m.model = r.stringVerify();
        break;
      case 26:
        m.usage = readNested(r, depth, ConversationResultAlpha2CompletionUsage.read, m.usage);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResultAlpha2: Codec<ConversationResultAlpha2> = createCodec('dapr.proto.runtime.v1.ConversationResultAlpha2', writeConversationResultAlpha2, readConversationResultAlpha2);

export interface ConversationResultAlpha2CompletionUsage {
  completionTokens: number;
  promptTokens: number;
  totalTokens: number;
  completionTokensDetails?: ConversationResultAlpha2CompletionUsageCompletionTokensDetails | undefined;
  promptTokensDetails?: ConversationResultAlpha2CompletionUsagePromptTokensDetails | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationResultAlpha2CompletionUsage(m: Init<ConversationResultAlpha2CompletionUsage>, w: Writer): Writer {
  if (m.completionTokens) w.uint32(8).uint64(m.completionTokens);
  if (m.promptTokens) w.uint32(16).uint64(m.promptTokens);
  if (m.totalTokens) w.uint32(24).uint64(m.totalTokens);
  if (m.completionTokensDetails) ConversationResultAlpha2CompletionUsageCompletionTokensDetails.write(m.completionTokensDetails, w.uint32(34).fork()).ldelim();
  if (m.promptTokensDetails) ConversationResultAlpha2CompletionUsagePromptTokensDetails.write(m.promptTokensDetails, w.uint32(42).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResultAlpha2CompletionUsage(r: Reader, depth: number, target?: ConversationResultAlpha2CompletionUsage): ConversationResultAlpha2CompletionUsage {
  const m: ConversationResultAlpha2CompletionUsage = target ?? { completionTokens: 0, promptTokens: 0, totalTokens: 0, completionTokensDetails: undefined, promptTokensDetails: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.completionTokens = toNumber(r.uint64());
        break;
      case 16:
        m.promptTokens = toNumber(r.uint64());
        break;
      case 24:
        m.totalTokens = toNumber(r.uint64());
        break;
      case 34:
        m.completionTokensDetails = readNested(r, depth, ConversationResultAlpha2CompletionUsageCompletionTokensDetails.read, m.completionTokensDetails);
        break;
      case 42:
        m.promptTokensDetails = readNested(r, depth, ConversationResultAlpha2CompletionUsagePromptTokensDetails.read, m.promptTokensDetails);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResultAlpha2CompletionUsage: Codec<ConversationResultAlpha2CompletionUsage> = createCodec('dapr.proto.runtime.v1.ConversationResultAlpha2CompletionUsage', writeConversationResultAlpha2CompletionUsage, readConversationResultAlpha2CompletionUsage);

export interface ConversationResultAlpha2CompletionUsageCompletionTokensDetails {
  acceptedPredictionTokens: number;
  audioTokens: number;
  reasoningTokens: number;
  rejectedPredictionTokens: number;
  unknown?: Uint8Array | undefined;
}
function writeConversationResultAlpha2CompletionUsageCompletionTokensDetails(m: Init<ConversationResultAlpha2CompletionUsageCompletionTokensDetails>, w: Writer): Writer {
  if (m.acceptedPredictionTokens) w.uint32(8).uint64(m.acceptedPredictionTokens);
  if (m.audioTokens) w.uint32(16).uint64(m.audioTokens);
  if (m.reasoningTokens) w.uint32(24).uint64(m.reasoningTokens);
  if (m.rejectedPredictionTokens) w.uint32(32).uint64(m.rejectedPredictionTokens);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResultAlpha2CompletionUsageCompletionTokensDetails(r: Reader, _depth: number, target?: ConversationResultAlpha2CompletionUsageCompletionTokensDetails): ConversationResultAlpha2CompletionUsageCompletionTokensDetails {
  const m: ConversationResultAlpha2CompletionUsageCompletionTokensDetails = target ?? { acceptedPredictionTokens: 0, audioTokens: 0, reasoningTokens: 0, rejectedPredictionTokens: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.acceptedPredictionTokens = toNumber(r.uint64());
        break;
      case 16:
        m.audioTokens = toNumber(r.uint64());
        break;
      case 24:
        m.reasoningTokens = toNumber(r.uint64());
        break;
      case 32:
        m.rejectedPredictionTokens = toNumber(r.uint64());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResultAlpha2CompletionUsageCompletionTokensDetails: Codec<ConversationResultAlpha2CompletionUsageCompletionTokensDetails> = createCodec('dapr.proto.runtime.v1.ConversationResultAlpha2CompletionUsageCompletionTokensDetails', writeConversationResultAlpha2CompletionUsageCompletionTokensDetails, readConversationResultAlpha2CompletionUsageCompletionTokensDetails);

export interface ConversationResultAlpha2CompletionUsagePromptTokensDetails {
  audioTokens: number;
  cachedTokens: number;
  unknown?: Uint8Array | undefined;
}
function writeConversationResultAlpha2CompletionUsagePromptTokensDetails(m: Init<ConversationResultAlpha2CompletionUsagePromptTokensDetails>, w: Writer): Writer {
  if (m.audioTokens) w.uint32(8).uint64(m.audioTokens);
  if (m.cachedTokens) w.uint32(16).uint64(m.cachedTokens);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResultAlpha2CompletionUsagePromptTokensDetails(r: Reader, _depth: number, target?: ConversationResultAlpha2CompletionUsagePromptTokensDetails): ConversationResultAlpha2CompletionUsagePromptTokensDetails {
  const m: ConversationResultAlpha2CompletionUsagePromptTokensDetails = target ?? { audioTokens: 0, cachedTokens: 0 };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 8:
        m.audioTokens = toNumber(r.uint64());
        break;
      case 16:
        m.cachedTokens = toNumber(r.uint64());
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResultAlpha2CompletionUsagePromptTokensDetails: Codec<ConversationResultAlpha2CompletionUsagePromptTokensDetails> = createCodec('dapr.proto.runtime.v1.ConversationResultAlpha2CompletionUsagePromptTokensDetails', writeConversationResultAlpha2CompletionUsagePromptTokensDetails, readConversationResultAlpha2CompletionUsagePromptTokensDetails);

export interface ConversationResultChoices {
  finishReason: string;
  index: number;
  message?: ConversationResultMessage | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationResultChoices(m: Init<ConversationResultChoices>, w: Writer): Writer {
  if (m.finishReason) w.uint32(10).string(m.finishReason);
  if (m.index) w.uint32(16).int64(m.index);
  if (m.message) ConversationResultMessage.write(m.message, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResultChoices(r: Reader, depth: number, target?: ConversationResultChoices): ConversationResultChoices {
  const m: ConversationResultChoices = target ?? { finishReason: '', index: 0, message: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.finishReason = r.stringVerify();
        break;
      case 16:
        m.index = toNumber(r.int64());
        break;
      case 26:
        m.message = readNested(r, depth, ConversationResultMessage.read, m.message);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResultChoices: Codec<ConversationResultChoices> = createCodec('dapr.proto.runtime.v1.ConversationResultChoices', writeConversationResultChoices, readConversationResultChoices);

export interface ConversationResultMessage {
  content: string;
  toolCalls: ConversationToolCalls[];
  unknown?: Uint8Array | undefined;
}
function writeConversationResultMessage(m: Init<ConversationResultMessage>, w: Writer): Writer {
  if (m.content) w.uint32(10).string(m.content);
  if (m.toolCalls) for (const v of m.toolCalls) ConversationToolCalls.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResultMessage(r: Reader, depth: number, target?: ConversationResultMessage): ConversationResultMessage {
  const m: ConversationResultMessage = target ?? { content: '', toolCalls: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.content = r.stringVerify();
        break;
      case 18:
        m.toolCalls.push(readNested(r, depth, ConversationToolCalls.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResultMessage: Codec<ConversationResultMessage> = createCodec('dapr.proto.runtime.v1.ConversationResultMessage', writeConversationResultMessage, readConversationResultMessage);

export interface ConversationResponse {
  contextID?: string | undefined;
  outputs: ConversationResult[];
  unknown?: Uint8Array | undefined;
}
function writeConversationResponse(m: Init<ConversationResponse>, w: Writer): Writer {
  if (m.contextID !== undefined) w.uint32(10).string(m.contextID);
  if (m.outputs) for (const v of m.outputs) ConversationResult.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResponse(r: Reader, depth: number, target?: ConversationResponse): ConversationResponse {
  const m: ConversationResponse = target ?? { contextID: undefined, outputs: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.contextID = r.stringVerify();
        break;
      case 18:
        m.outputs.push(readNested(r, depth, ConversationResult.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResponse: Codec<ConversationResponse> = createCodec('dapr.proto.runtime.v1.ConversationResponse', writeConversationResponse, readConversationResponse);

export interface ConversationResponseAlpha2 {
  contextId?: string | undefined;
  outputs: ConversationResultAlpha2[];
  unknown?: Uint8Array | undefined;
}
function writeConversationResponseAlpha2(m: Init<ConversationResponseAlpha2>, w: Writer): Writer {
  if (m.contextId !== undefined) w.uint32(10).string(m.contextId);
  if (m.outputs) for (const v of m.outputs) ConversationResultAlpha2.write(v, w.uint32(18).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationResponseAlpha2(r: Reader, depth: number, target?: ConversationResponseAlpha2): ConversationResponseAlpha2 {
  const m: ConversationResponseAlpha2 = target ?? { contextId: undefined, outputs: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.contextId = r.stringVerify();
        break;
      case 18:
        m.outputs.push(readNested(r, depth, ConversationResultAlpha2.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationResponseAlpha2: Codec<ConversationResponseAlpha2> = createCodec('dapr.proto.runtime.v1.ConversationResponseAlpha2', writeConversationResponseAlpha2, readConversationResponseAlpha2);

export interface ConversationTools {
  function?: ConversationToolsFunction | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationTools(m: Init<ConversationTools>, w: Writer): Writer {
  if (m.function) ConversationToolsFunction.write(m.function, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationTools(r: Reader, depth: number, target?: ConversationTools): ConversationTools {
  const m: ConversationTools = target ?? { function: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.function = readNested(r, depth, ConversationToolsFunction.read, m.function);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationTools: Codec<ConversationTools> = createCodec('dapr.proto.runtime.v1.ConversationTools', writeConversationTools, readConversationTools);

export interface ConversationToolsFunction {
  name: string;
  description?: string | undefined;
  parameters?: Struct | undefined;
  unknown?: Uint8Array | undefined;
}
function writeConversationToolsFunction(m: Init<ConversationToolsFunction>, w: Writer): Writer {
  if (m.name) w.uint32(10).string(m.name);
  if (m.description !== undefined) w.uint32(18).string(m.description);
  if (m.parameters) Struct.write(m.parameters, w.uint32(26).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readConversationToolsFunction(r: Reader, depth: number, target?: ConversationToolsFunction): ConversationToolsFunction {
  const m: ConversationToolsFunction = target ?? { name: '', description: undefined, parameters: undefined };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.name = r.stringVerify();
        break;
      case 18:
        m.description = r.stringVerify();
        break;
      case 26:
        m.parameters = readNested(r, depth, Struct.read, m.parameters);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ConversationToolsFunction: Codec<ConversationToolsFunction> = createCodec('dapr.proto.runtime.v1.ConversationToolsFunction', writeConversationToolsFunction, readConversationToolsFunction);
