// Written by scripts/generate-proto.ts from specs/proto/google/rpc/error_details.proto; not by hand.
// The details that errors of this API carry.
import { createCodec, keepUnknown, readEntry, readNested, type Codec, type Init, type Reader, type Writer } from '../codec.ts';

export interface ErrorInfo {
  reason: string;
  domain: string;
  metadata: Record<string, string>;
  unknown?: Uint8Array | undefined;
}
function writeErrorInfo(m: Init<ErrorInfo>, w: Writer): Writer {
  if (m.reason) w.uint32(10).string(m.reason);
  if (m.domain) w.uint32(18).string(m.domain);
  if (m.metadata) {
    for (const [k, v] of Object.entries(m.metadata)) {
      if (v === undefined) continue;
      w.uint32(26).fork().uint32(10).string(k);
      w.uint32(18).string(v);
      w.ldelim();
    }
  }
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readErrorInfo(r: Reader, _depth: number, target?: ErrorInfo): ErrorInfo {
  const m: ErrorInfo = target ?? { reason: '', domain: '', metadata: {} };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.reason = r.stringVerify();
        break;
      case 18:
        m.domain = r.stringVerify();
        break;
      case 26:
        readEntry(r, m.metadata, '', (r) => r.stringVerify(), 18);
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ErrorInfo: Codec<ErrorInfo> = createCodec('google.rpc.ErrorInfo', writeErrorInfo, readErrorInfo);

export interface ResourceInfo {
  resourceType: string;
  resourceName: string;
  owner: string;
  description: string;
  unknown?: Uint8Array | undefined;
}
function writeResourceInfo(m: Init<ResourceInfo>, w: Writer): Writer {
  if (m.resourceType) w.uint32(10).string(m.resourceType);
  if (m.resourceName) w.uint32(18).string(m.resourceName);
  if (m.owner) w.uint32(26).string(m.owner);
  if (m.description) w.uint32(34).string(m.description);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readResourceInfo(r: Reader, _depth: number, target?: ResourceInfo): ResourceInfo {
  const m: ResourceInfo = target ?? { resourceType: '', resourceName: '', owner: '', description: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.resourceType = r.stringVerify();
        break;
      case 18:
        m.resourceName = r.stringVerify();
        break;
      case 26:
        m.owner = r.stringVerify();
        break;
      case 34:
        m.description = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const ResourceInfo: Codec<ResourceInfo> = createCodec('google.rpc.ResourceInfo', writeResourceInfo, readResourceInfo);

export interface BadRequest {
  fieldViolations: BadRequestFieldViolation[];
  unknown?: Uint8Array | undefined;
}
function writeBadRequest(m: Init<BadRequest>, w: Writer): Writer {
  if (m.fieldViolations) for (const v of m.fieldViolations) BadRequestFieldViolation.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBadRequest(r: Reader, depth: number, target?: BadRequest): BadRequest {
  const m: BadRequest = target ?? { fieldViolations: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.fieldViolations.push(readNested(r, depth, BadRequestFieldViolation.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BadRequest: Codec<BadRequest> = createCodec('google.rpc.BadRequest', writeBadRequest, readBadRequest);

export interface BadRequestFieldViolation {
  field: string;
  description: string;
  unknown?: Uint8Array | undefined;
}
function writeBadRequestFieldViolation(m: Init<BadRequestFieldViolation>, w: Writer): Writer {
  if (m.field) w.uint32(10).string(m.field);
  if (m.description) w.uint32(18).string(m.description);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readBadRequestFieldViolation(r: Reader, _depth: number, target?: BadRequestFieldViolation): BadRequestFieldViolation {
  const m: BadRequestFieldViolation = target ?? { field: '', description: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.field = r.stringVerify();
        break;
      case 18:
        m.description = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const BadRequestFieldViolation: Codec<BadRequestFieldViolation> = createCodec('google.rpc.BadRequest.FieldViolation', writeBadRequestFieldViolation, readBadRequestFieldViolation);

export interface Help {
  links: HelpLink[];
  unknown?: Uint8Array | undefined;
}
function writeHelp(m: Init<Help>, w: Writer): Writer {
  if (m.links) for (const v of m.links) HelpLink.write(v, w.uint32(10).fork()).ldelim();
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readHelp(r: Reader, depth: number, target?: Help): Help {
  const m: Help = target ?? { links: [] };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.links.push(readNested(r, depth, HelpLink.read));
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const Help: Codec<Help> = createCodec('google.rpc.Help', writeHelp, readHelp);

export interface HelpLink {
  description: string;
  url: string;
  unknown?: Uint8Array | undefined;
}
function writeHelpLink(m: Init<HelpLink>, w: Writer): Writer {
  if (m.description) w.uint32(10).string(m.description);
  if (m.url) w.uint32(18).string(m.url);
  if (m.unknown) w.raw(m.unknown);
  return w;
}
function readHelpLink(r: Reader, _depth: number, target?: HelpLink): HelpLink {
  const m: HelpLink = target ?? { description: '', url: '' };
  while (r.pos < r.len) {
    const start = r.pos;
    const tag = r.tag();
    switch (tag) {
      case 10:
        m.description = r.stringVerify();
        break;
      case 18:
        m.url = r.stringVerify();
        break;
      default:
        m.unknown = keepUnknown(r, tag, start, m.unknown);
    }
  }
  return m;
}
export const HelpLink: Codec<HelpLink> = createCodec('google.rpc.Help.Link', writeHelpLink, readHelpLink);
