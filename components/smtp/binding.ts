/** `bindings.smtp`: mails by any SMTP server, one conversation per mail. The body is HTML; what a request sets counts for that mail alone. */
import { BindingError, checkMetadata, defineComponent, field, textOf, Turns, type Binding, type BindingOperations, type ComponentContext, type OptionsOf } from '@mecha/components/kit';
import { checkHeaderText, parseAddresses, RECIPIENTS_MAX, type MailAddress } from './address.ts';
import { converse, type MailServer } from './connection.ts';

const PRIORITY_USUAL = 3;
/** Mail servers turn away who opens many connections at a time. */
const CONVERSATIONS_MAX = 10;

const metadata = {
  host: field.string('Name or address of the mail server.', { required: true }),
  port: field.integer('Port: 465 speaks TLS from the first byte; elsewhere TLS begins with STARTTLS when the server offers it.', { required: true, minimum: 1, maximum: 65535 }),
  user: field.string('User to sign in as; needs `password`. Then a server on another host must speak TLS.'),
  password: field.string('Password of the user.', { secret: true }),
  skipTLSVerify: field.boolean('Take any certificate.', { default: false }),
  caCert: field.string('PEM of the authority that signed the certificate of the server, where the system does not know it.'),
  emailFrom: field.string('Sender, as `ada@example.org` or `Ada <ada@example.org>`.'),
  emailTo: field.string('Recipients, joined by `;`.'),
  emailCC: field.string('Recipients of copies, joined by `;`.'),
  emailBCC: field.string('Recipients of copies whom the others do not see, joined by `;`.'),
  subject: field.string('Subject.'),
  priority: field.integer('From 1 (highest) to 5 (lowest).', { default: PRIORITY_USUAL, minimum: 1, maximum: 5 }),
} as const;

const operations = {
  create: {
    description: 'Sends a mail. Sender, a recipient and a subject must be given by the component or by the request.',
    metadata: {
      emailFrom: { description: 'Sender, instead of the one of the component.' },
      emailTo: { description: 'Recipients, joined by `;`.' },
      emailCC: { description: 'Recipients of copies, joined by `;`.' },
      emailBCC: { description: 'Recipients of copies whom the others do not see, joined by `;`.' },
      subject: { description: 'Subject.' },
      priority: { description: 'From 1 (highest) to 5 (lowest).' },
    },
    data: 'The body, as HTML.',
    result: 'Nothing; metadata `rejected` counts the recipients that the server refused, when it took the mail for others.',
  },
} as const satisfies BindingOperations;

type Options = OptionsOf<typeof metadata>;

interface Mail {
  readonly from: MailAddress;
  readonly to: readonly MailAddress[];
  readonly cc: readonly MailAddress[];
  readonly bcc: readonly MailAddress[];
  readonly subject: string;
  readonly priority: number;
}

function createBinding({ options }: ComponentContext<Options>): Binding {
  if ((options.user === undefined) !== (options.password === undefined)) throw new Error('user and password are given both, or neither');
  const server: MailServer = options;
  mailOf(options, {}, false);
  const closing = new AbortController();
  const turns = new Turns(CONVERSATIONS_MAX);

  return {
    connect: (signal) => converse(server, signal, async () => undefined),
    ping: () => converse(server, closing.signal, async () => undefined),
    async close() {
      closing.abort(new Error('the component was closed'));
    },
    async invoke(request, signal) {
      if (closing.signal.aborted) throw new BindingError('unavailable', 'the component was closed');
      checkMetadata(operations.create, request);
      const mail = mailOf(options, request.metadata, true);
      const message = await compose(mail, textOf(request.data));
      const to = [...new Set([...mail.to, ...mail.cc, ...mail.bcc].map(({ address }) => address))];
      const either = AbortSignal.any([signal, closing.signal]);
      const refused = await turns.take(either, () => converse(server, either, (conversation) => conversation.send({ from: mail.from.address, to }, message)));
      return refused.length > 0 ? { metadata: { rejected: String(refused.length) } } : undefined;
    },
  };
}

/** The mail's head, from the request where it says something. `complete`: what a mail must have is missed. */
function mailOf(options: Options, request: Readonly<Record<string, string>>, complete: boolean): Mail {
  const given = (name: 'emailFrom' | 'emailTo' | 'emailCC' | 'emailBCC' | 'subject'): string => (Object.hasOwn(request, name) ? request[name] : options[name]) ?? '';
  const checked = <T>(name: string, check: () => T): T => {
    try {
      return check();
    } catch (error) {
      throw new BindingError('invalid-metadata', `metadata ${name} ${(error as Error).message}`);
    }
  };
  const addresses = (name: 'emailFrom' | 'emailTo' | 'emailCC' | 'emailBCC'): readonly MailAddress[] => checked(name, () => parseAddresses(given(name)));
  const [senders, to, cc, bcc] = [addresses('emailFrom'), addresses('emailTo'), addresses('emailCC'), addresses('emailBCC')];
  const subject = checked('subject', () => checkHeaderText(given('subject')));
  const priority = Number(request['priority'] || options.priority);
  const [from = { name: '', address: '' }, second] = senders;
  if (second) throw new BindingError('invalid-metadata', 'metadata emailFrom names more than one sender');
  if (!Number.isInteger(priority) || priority < 1 || priority > 5) throw new BindingError('invalid-metadata', 'metadata priority must be a whole number from 1 to 5');
  if (to.length + cc.length + bcc.length > RECIPIENTS_MAX) throw new BindingError('invalid-metadata', `a mail has at most ${RECIPIENTS_MAX} recipients`);
  if (complete) {
    if (from.address === '') throw new BindingError('invalid-metadata', 'metadata emailFrom is given neither by the component nor by the request');
    if (to.length + cc.length + bcc.length === 0) throw new BindingError('invalid-metadata', 'none of emailTo, emailCC and emailBCC is given, by the component or by the request');
    if (subject === '') throw new BindingError('invalid-metadata', 'metadata subject is given neither by the component nor by the request');
  }
  return { from, to, cc, bcc, subject, priority };
}

async function compose({ from, to, cc, subject, priority }: Mail, html: string): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  const composer = new MailComposer({
    from: { ...from },
    to: to.map((address) => ({ ...address })),
    cc: cc.map((address) => ({ ...address })),
    subject,
    html,
    headers: { 'X-Priority': String(priority) },
    // Nothing in a request may make the composer read a file or fetch an address.
    disableFileAccess: true,
    disableUrlAccess: true,
    newline: '\r\n',
  });
  return new Promise((resolve, reject) => {
    composer.compile().build((error, message) => (error ? reject(error) : resolve(message)));
  });
}

export default defineComponent({
  type: 'bindings.smtp',
  versions: ['v1'],
  status: 'stable',
  title: 'SMTP mail',
  description: 'Sends mails by any SMTP server. Addresses with comments, groups or quoted local parts are refused, and so is a line break in any of them or in the subject.',
  durability: 'The answer comes when the mail server has taken the mail. A policy that tries again after the answer was lost sends a second one.',
  metadata,
  features: ['OUTPUT_BINDING'],
  operations,
  library: 'nodemailer',
  create: createBinding,
});
