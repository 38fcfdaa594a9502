/** The office's mail server: takes every mail and keeps the newest. */
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { callbackify } from 'node:util';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';

const KEPT_MAX = 10_000;

export interface Mail {
  readonly to: readonly string[];
  readonly subject: string;
  /** Without its tags. */
  readonly lines: readonly string[];
}

export interface Mailbox {
  readonly port: number;
  readonly mails: readonly Mail[];
  close(): Promise<void>;
}

export async function openMailbox({ arrived }: { arrived: (mail: Mail) => void }): Promise<Mailbox> {
  const mails: Mail[] = [];
  const keep = async (stream: SMTPServerDataStream, { envelope }: SMTPServerSession): Promise<void> => {
    const mail = read(await text(stream), envelope.rcptTo.map(({ address }) => address));
    mails.push(mail);
    if (mails.length > KEPT_MAX) mails.shift();
    arrived(mail);
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onData: (stream, session, done) => callbackify(keep)(stream, session, done),
  });
  // A sidecar that is killed leaves its conversation in the middle.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function read(source: string, to: readonly string[]): Mail {
  const end = source.indexOf('\r\n\r\n');
  const head = source.slice(0, end).replaceAll(/\r\n[ \t]+/g, ' ');
  // Long lines come quoted: a soft break is an equals sign at the end of a line.
  const isQuoted = /^content-transfer-encoding: *quoted-printable/im.test(head);
  const body = isQuoted ? source.slice(end + 4).replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_escape, code: string) => String.fromCharCode(Number.parseInt(code, 16))) : source.slice(end + 4);
  return {
    to,
    subject: /^subject: *(.*)$/im.exec(head)?.[1] ?? '',
    lines: body.split('\n').map((line) => line.replaceAll(/<[^>]*>/g, '').trim()).filter((line) => line !== ''),
  };
}
