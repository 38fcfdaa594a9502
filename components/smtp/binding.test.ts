import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { callbackify, promisify } from 'node:util';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BindingError, type Binding } from '@mecha/components/kit';
import { outputBindingConformance } from '../kit/conformance/output-binding.ts';
import { fc } from '../kit/test-properties.ts';
import { buildComponent, connected } from '../kit/testing.ts';
import smtp from './binding.ts';

const USER = 'postman';
const PASSWORD = 'w0rd-of-the-postman';
const never = new AbortController().signal;
const NONE: Record<string, string> = {};

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly headers: readonly string[];
  readonly body: string;
}

/** A mail server that keeps what it takes. */
async function mailServer(options: SMTPServerOptions = {}, port = 0) {
  const mails: Received[] = [];
  const keep = async (stream: SMTPServerDataStream, { envelope: { mailFrom, rcptTo }, secure, user }: SMTPServerSession): Promise<void> => {
    const source = await text(stream);
    const end = source.indexOf('\r\n\r\n');
    mails.push({
      from: mailFrom === false ? '' : (mailFrom?.address ?? ''),
      to: rcptTo.map(({ address }) => address),
      secure,
      user,
      headers: source.slice(0, end).replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n'),
      body: source.slice(end + 4),
    });
  };
  const server = new SMTPServer({
    key,
    cert: certificate,
    authOptional: true,
    allowInsecureAuth: true,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) => (username === USER && password === PASSWORD ? done(null, { user: USER }) : done(new Error('no such user'))),
    onData: (stream, session, done) => callbackify(keep)(stream, session, done),
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => void server.listen(port, '127.0.0.1', resolve));
  const address = server.server.address();
  return {
    mails,
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
type MailServer = Awaited<ReturnType<typeof mailServer>>;

let server: MailServer;
let certificates: string;
let key: string;
let certificate: string;
beforeAll(async () => {
  certificates = await mkdtemp(join(tmpdir(), 'mecha-smtp-'));
  const [keyFile, certificateFile] = [join(certificates, 'key.pem'), join(certificates, 'certificate.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::ffff:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-keyout', keyFile, '-out', certificateFile, ...subject]);
  [key, certificate] = await Promise.all([readFile(keyFile, 'utf8'), readFile(certificateFile, 'utf8')]);
  server = await mailServer();
});
afterAll(async () => {
  await server.close();
  await rm(certificates, { recursive: true, force: true });
});

const usual = { emailFrom: 'Ada <ada@example.org>', emailTo: 'bob@example.org', subject: 'Hello' };
const binding = (options: Record<string, unknown> = {}): Binding => buildComponent(smtp, { host: '127.0.0.1', port: server.port, skipTLSVerify: true, ...usual, ...options });
const send = (one: Binding, metadata: Record<string, string> = NONE, data = 'Hi', signal = never) => one.invoke?.({ operation: 'create', data: Buffer.from(data), metadata }, signal);
const lastMail = (from: MailServer = server): Received => {
  const mail = from.mails.at(-1);
  if (!mail) throw new Error('no mail has come');
  return mail;
};
const header = (mail: Received, name: string): string | undefined => mail.headers.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))?.slice(name.length + 2);

outputBindingConformance(smtp, {
  open: () => connected(binding({ user: USER, password: PASSWORD })),
  calls: [{ operation: 'create', data: '"<p>Hello</p>"', metadata: { emailTo: 'carol@example.org;dave@example.org' } }],
  wrong: [
    { operation: 'create', metadata: { subject: 'Hello\r\nBcc: eve@example.org' } },
    { operation: 'create', metadata: { emailTo: 'bob@example.org\nBcc: eve@example.org' } },
    { operation: 'create', metadata: { emailTo: 'bob@example.org, eve@example.org' } },
    { operation: 'create', metadata: { emailTo: 'not an address' } },
    { operation: 'create', metadata: { emailFrom: 'a@example.org;b@example.org' } },
    { operation: 'create', metadata: { emailFrom: '' } },
    { operation: 'create', metadata: { priority: '9' } },
    { operation: 'create', metadata: { emailTo: Array.from({ length: 1_001 }, (_, index) => `a${index}@example.org`).join(';') } },
  ],
  away: () => binding({ port: 1, user: USER, password: PASSWORD }),
  secrets: [PASSWORD, Buffer.from(PASSWORD).toString('base64'), Buffer.from(`\0${USER}\0${PASSWORD}`).toString('base64')],
});

describe('a mail', () => {
  test('reaches all recipients, shows those that are to be seen, and carries subject, priority and an HTML body', async () => {
    await send(binding(), { emailCC: 'Carol C. <carol@example.org>', emailBCC: 'eve@example.org', subject: 'Größe', priority: '1' }, JSON.stringify('<b>"Grüße"</b>'));
    const mail = lastMail();
    expect(mail).toMatchObject({ from: 'ada@example.org', to: ['bob@example.org', 'carol@example.org', 'eve@example.org'], secure: true });
    expect([header(mail, 'From'), header(mail, 'To'), header(mail, 'Cc'), header(mail, 'X-Priority')]).toEqual(['Ada <ada@example.org>', 'bob@example.org', '"Carol C." <carol@example.org>', '1']);
    expect(mail.headers.join('\n')).not.toContain('eve@');
    expect(header(mail, 'Subject')).toMatch(/^=\?UTF-8\?/i);
    expect(header(mail, 'Content-Type')).toBe('text/html; charset=utf-8');
    expect(mail.body.replaceAll('=\r\n', '')).toContain('<b>"Gr=C3=BC=C3=9Fe"</b>');
  });

  test('leaves nothing of what its request set to the next one', async () => {
    const one = binding({ emailCC: 'carol@example.org' });
    await send(one, { emailTo: 'other@example.org', emailCC: '', subject: 'Other', priority: '5' });
    expect(lastMail().to).toEqual(['other@example.org']);
    await send(one);
    expect(lastMail()).toMatchObject({ to: ['bob@example.org', 'carol@example.org'] });
    expect([header(lastMail(), 'Subject'), header(lastMail(), 'X-Priority')]).toEqual(['Hello', '3']);
  });

  test('whose metadata is any text at all gets no header and no recipient that nobody named', async () => {
    const one = binding();
    const nasty = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('x\r\nBcc: eve@evil.example', 'x\n\nbody', 'a@b.c>\r\nRCPT TO:<eve@evil.example', '"a b"@x.org', 'Ada "x" <a@b.c>', 'u:a@b.c;', '=?utf-8?q?=0D=0ABcc:=20eve@evil.example?='));
    const names = new Set(['content-type', 'x-priority', 'from', 'to', 'subject', 'message-id', 'content-transfer-encoding', 'date', 'mime-version']);
    await fc.assert(
      fc.asyncProperty(nasty, nasty, nasty, async (name, subject, recipient) => {
        const before = server.mails.length;
        const error = await send(one, { emailFrom: `${name} <ada@example.org>`, subject, emailTo: `${recipient};bob@example.org` })?.then(() => undefined, (reason: unknown) => reason);
        if (error !== undefined) {
          // Either the address was refused here, or by the server as one that it cannot read.
          expect(error).toBeInstanceOf(BindingError);
          expect((error as BindingError).permanent).toBe(true);
          expect(server.mails.length).toBe(before);
          return;
        }
        const mail = lastMail();
        expect(server.mails.length).toBe(before + 1);
        for (const line of mail.headers) expect(names, line).toContain(/^([^:]*):/.exec(line)?.[1]?.toLowerCase());
        expect(new Set(mail.headers.map((line) => line.split(':')[0])).size).toBe(mail.headers.length);
        expect(mail.from).toBe('ada@example.org');
        expect(mail.to.at(-1)).toBe('bob@example.org');
        expect(mail.to.length).toBe(recipient.split(';').filter((part) => part.trim() !== '').length + 1);
      }),
      { numRuns: 60 },
    );
  });

  test('that the server takes for some recipients only says how many it refused; one that it takes for none is denied', async () => {
    const picky = await mailServer({ onRcptTo: ({ address }, _session, done) => done(address.startsWith('bob') ? null : Object.assign(new Error('no such mailbox'), { responseCode: 550 })) });
    try {
      const one = binding({ port: picky.port });
      await expect(send(one, { emailTo: 'bob@example.org;nobody@example.org' })).resolves.toEqual({ metadata: { rejected: '1' } });
      await expect(send(one, { emailTo: 'nobody@example.org' })).rejects.toMatchObject({ fault: 'denied', permanent: true });
    } finally {
      await picky.close();
    }
  });

  test('longer than the server takes is said to be too large', async () => {
    const small = await mailServer({ size: 2_000 });
    try {
      await expect(send(binding({ port: small.port }), NONE, 'x'.repeat(5_000))).rejects.toMatchObject({ fault: 'too-large' });
    } finally {
      await small.close();
    }
  });
});

describe('the mail server', () => {
  test('is spoken to by TLS with a certificate that is verified, by an authority of one\'s own if need be', async () => {
    await expect(binding({ skipTLSVerify: false }).connect?.(never)).rejects.toThrow(/certificate/);
    await send(binding({ skipTLSVerify: false, caCert: certificate, user: USER, password: PASSWORD }));
    expect(lastMail()).toMatchObject({ secure: true, user: USER });
  });

  test('on another host gets no password without TLS', async () => {
    const heard: string[] = [];
    const open = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'], onAuth: ({ password }, _session, done) => {
        heard.push(password ?? '');
        done(null, { user: USER });
      }  });
    try {
      // The same server, by a name that does not say that it is this host.
      const error = await binding({ host: '::ffff:127.0.0.1', port: open.port, user: USER, password: PASSWORD }).connect?.(never).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ fault: 'failed', message: expect.stringMatching(/STARTTLS/) as string });
      expect(heard).toEqual([]);
      await binding({ port: open.port, user: USER, password: PASSWORD }).connect?.(never);
      expect(heard).toEqual([PASSWORD]);
    } finally {
      await open.close();
    }
  });

  test('that refuses user and password is named, without them', async () => {
    const error = await binding({ user: USER, password: 'wrong-word' }).connect?.(never).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ fault: 'failed', message: expect.not.stringContaining('wrong-word') as string });
    expect(() => binding({ user: USER })).toThrow(/both/);
  });

  test('may be away at start and go later; the same instance serves once it is there', async () => {
    const first = await mailServer();
    await first.close();
    const one = binding({ port: first.port });
    await expect(one.connect?.(never)).rejects.toMatchObject({ fault: 'unavailable' });
    const second = await mailServer({}, first.port);
    await one.connect?.(never);
    await send(one);
    await second.close();
    await expect(send(one)).rejects.toMatchObject({ fault: 'unavailable', permanent: false });
    const third = await mailServer({}, first.port);
    await send(one);
    expect(lastMail(third).to).toEqual(['bob@example.org']);
    await third.close();
  });

  test('that takes the connection and says nothing holds a call no longer than its signal', async () => {
    const taken = Promise.withResolvers<void>();
    const silent: Server = createServer((socket) => {
      socket.on('error', () => undefined);
      taken.resolve();
    });
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const leave = new AbortController();
    const under = send(binding({ port: typeof address === 'object' && address ? address.port : 0 }), NONE, 'Hi', leave.signal);
    await taken.promise;
    leave.abort(new Error('too long'));
    await expect(under).rejects.toMatchObject({ fault: 'timeout' });
    // The connection is closed too: the server can end.
    await new Promise<void>((resolve) => void silent.close(() => resolve()));
  });
});
