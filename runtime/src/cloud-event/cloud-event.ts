/**
 * CloudEvents as this wire writes them: the words and the members that the pub/sub block and the outbox have in common
 * (http-api.md 6.2). Text is put together by hand: the path is hot, and JSON that came as text goes out as the same text,
 * so that no number loses digits.
 */
import { isUtf8 } from 'node:buffer';

export const CLOUD_EVENT_JSON = 'application/cloudevents+json';
export const OCTET_STREAM = 'application/octet-stream';
export const EVENT_TYPE = 'com.dapr.event.sent';
export const BULK_EVENT_TYPE = 'com.dapr.event.sent.bulk';
export const SPEC_VERSION = '1.0';
/** `source` of events that name none. */
export const UNKNOWN_SOURCE = 'Dapr';

/** Lower case, without parameters: what is compared. */
export function mediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).toLowerCase();
}

const BASE64_TYPES = new Set([OCTET_STREAM, 'application/cloudevents+protobuf', 'application/x-protobuf']);

/**
 * The `data` or `data_base64` member. JSON is embedded as it is written, text as a string. Bytes that are no text go as
 * base64 whatever they are called: as a string they would be spoilt.
 */
export function dataMember(data: Uint8Array, contentType: string): string {
  const type = mediaType(contentType);
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (BASE64_TYPES.has(type) || !isUtf8(bytes)) return `"data_base64":"${bytes.toString('base64')}"`;
  const text = bytes.toString('utf8');
  return `"data":${type === 'application/json' && isJson(text) ? text : JSON.stringify(text)}`;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // The contract: what does not parse is sent as the text that it is.
    return false;
  }
}

let toldSecond = Number.NaN;
let toldTime = '';

/** `2026-03-01T09:30:00+01:00`: seconds, the zone of this machine. All events of a second share its text. */
export function localTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== toldSecond) {
    toldTime = zonedTime(ms);
    toldSecond = second;
  }
  return toldTime;
}

function zonedTime(ms: number): string {
  const offsetMinutes = -new Date(ms).getTimezoneOffset();
  if (offsetMinutes === 0) return utcTime(ms);
  const shifted = utcTime(ms + offsetMinutes * 60_000).slice(0, -1);
  const size = Math.abs(offsetMinutes);
  return `${shifted}${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `2026-03-01T08:30:00Z`. */
export function utcTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
