import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, expect, test } from 'vitest'
import { type Fact, messageOf } from '@/lib/alerts/notify/message'
import { sendTo } from '@/lib/alerts/notify/send'
import { type MailServer, sendMail } from '@/lib/outbound/send-mail'
import { sealSecret } from '@/lib/sources/credentials'
import { CREDENTIALS_KEY, setSettings, TELLING_HERE } from '../support/settings'

setSettings({ ...TELLING_HERE, IDEMSCOPE_ENVIRONMENT: 'staging' })

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const listen = (server: Server | SMTPServer): Promise<number> =>
  new Promise((done) => {
    const listening = server.listen(0, '127.0.0.1', () =>
      done(((listening as Server).address() as AddressInfo).port),
    )
    closers.push(() => new Promise((closed) => server.close(() => closed())))
  })

/** A real SMTP server on this machine that keeps what it is handed. */
async function startSmtp(options: SMTPServerOptions = {}) {
  const mails: { from: string; to: string[]; user: string | null; text: string }[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        mails.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: typeof session.user === 'string' ? session.user : null,
          text: Buffer.concat(chunks).toString(),
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  return { port: await listen(server), mails }
}

const fact: Fact = {
  event: 'raised',
  dedupeKey: 'alr_0:raised',
  incident: 'nin_0',
  replaces: null,
  severity: 'page',
  kind: 'stale_source',
  system: '',
  alerts: [
    {
      id: 'alr_0',
      kind: 'stale_source',
      severity: 'page',
      subject: 'src_0',
      since: '2026-03-01T11:00:00.000Z',
      clearedAt: null,
      incidentId: null,
      detail: { name: 'ledger\r\nBcc: everybody@example.com', error: 'connection refused' },
    },
  ],
  count: 1,
  raises: 1,
  firing: 1,
  acknowledgement: null,
  changes: [],
}
const NOW = new Date('2026-03-01T12:00:30Z')
const receiver = (port: number, secret: object = {}) => ({
  id: 'rcv_1',
  kind: 'email',
  secret: sealSecret(CREDENTIALS_KEY, 'rcv_1', {
    host: '127.0.0.1',
    port,
    security: 'none',
    from: 'idemscope@example.com',
    to: ['oncall@example.com', 'lead@example.com'],
    ...secret,
  }),
})
const say = (port: number, change: Partial<Fact> = {}, secret: object = {}) =>
  sendTo(receiver(port, secret), messageOf({ ...fact, ...change }, NOW))
/** Of a mail, with its folded lines unfolded. */
const header = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, 'mi').exec(text.replaceAll(/\r\n[ \t]+/g, ' '))?.[1]

test('a real SMTP server gets a mail that can be read, in one thread from raised to cleared', async () => {
  const { port, mails } = await startSmtp({
    authOptional: false,
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _, done) =>
      password === 's3cret' ? done(null, { user: username }) : done(new Error('wrong')),
  })
  const login = { username: 'idemscope', password: 's3cret' }
  expect(await say(port, {}, login)).toMatchObject({ answered: 'delivered', posted: { status: 250 } })
  expect(await say(port, { event: 'cleared', firing: 0, dedupeKey: 'alr_0:cleared' }, login)).toMatchObject({
    answered: 'delivered',
  })
  const [raised, cleared] = mails
  expect(raised).toMatchObject({
    from: 'idemscope@example.com',
    to: ['oncall@example.com', 'lead@example.com'],
    user: 'idemscope',
  })
  const text = raised?.text ?? ''
  expect(header(text, 'Subject')).toBe(
    '[STAGING] Firing: Source cannot be read, ledger Bcc: everybody@example.com',
  )
  expect(header(text, 'Bcc')).toBeUndefined()
  expect(header(text, 'Auto-Submitted')).toBe('auto-generated')
  expect(text.replaceAll('=\r\n', '')).toContain('/alerts?open=3Dalr_0')
  expect(header(cleared?.text ?? '', 'In-Reply-To')).toBe('<nin_0@example.com>')
  expect(await say(port, {}, { ...login, password: 'other' })).toMatchObject({
    answered: 'failed',
    posted: { kind: 'answered', status: 535 },
  })
})

test.each([
  [451, 'again'],
  [550, 'failed'],
] as const)('a server that answers %d: %s', async (responseCode, answered) => {
  const { port } = await startSmtp({
    onMailFrom: (_, __, done) => done(Object.assign(new Error('not now'), { responseCode })),
  })
  expect(await say(port)).toMatchObject({ answered, posted: { kind: 'answered', status: responseCode } })
})

test('a recipient that is refused is named, and the others get it', async () => {
  const { port, mails } = await startSmtp({
    onRcptTo: ({ address }, _, done) =>
      address === 'lead@example.com'
        ? done(Object.assign(new Error('unknown'), { responseCode: 550 }))
        : done(),
  })
  const { answered, posted } = await say(port)
  expect({ answered, body: posted.body }).toMatchObject({
    answered: 'delivered',
    body: expect.stringContaining('Not taken for lead@example.com'),
  })
  expect(mails).toMatchObject([{ to: ['oncall@example.com'] }])
})

test('TLS is not given up: no STARTTLS, and a certificate that nobody signed, are refused', async () => {
  const plain = await startSmtp()
  expect(await say(plain.port, {}, { security: 'starttls' })).toMatchObject({ answered: 'failed' })
  const selfSigned = await startSmtp({ disabledCommands: [] })
  const { answered, posted } = await say(selfSigned.port, {}, { security: 'starttls' })
  expect(answered).toBe('again')
  expect(posted.error).toMatch(/certificate/)
  expect([...plain.mails, ...selfSigned.mails]).toEqual([])
})

test('STARTTLS with a certificate of an authority that is trusted hands the mail over encrypted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'idemscope-smtp-'))
  const file = (name: string) => join(folder, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  try {
    // An authority of one's own, and a server's certificate that it signed for the name.
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.crt',
      '-subj',
      '/CN=Test CA',
      '-days',
      '2',
    )
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'smtp.key',
      '-out',
      'smtp.csr',
      '-subj',
      '/CN=localhost',
    )
    writeFileSync(file('san'), 'subjectAltName=DNS:localhost')
    openssl(
      'x509',
      '-req',
      '-in',
      'smtp.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'san',
      '-out',
      'smtp.crt',
    )
    const seen: boolean[] = []
    const { port, mails } = await startSmtp({
      disabledCommands: ['AUTH'],
      key: readFileSync(file('smtp.key')),
      cert: readFileSync(file('smtp.crt')),
      onMailFrom: (_, { secure }, done) => {
        seen.push(secure)
        done()
      },
    })
    // Node reads the authorities that it trusts beside its own when it starts.
    const server = { host: 'localhost', port, security: 'starttls' }
    const terms = { timeoutMs: 10_000, allow: ['127.0.0.1/32', '::1/128'] }
    const program = `import { sendMail } from './lib/outbound/send-mail.ts'
      console.log(JSON.stringify(await sendMail(${JSON.stringify(server)}, ${JSON.stringify(MAIL)}, ${JSON.stringify(terms)})))`
    const sent = async (env: Record<string, string>) => {
      const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
      const { stdout } = await promisify(execFile)(process.execPath, args, {
        env: { ...process.env, ...env },
      })
      return JSON.parse(stdout)
    }
    expect(await sent({ NODE_EXTRA_CA_CERTS: file('ca.crt') })).toMatchObject({
      kind: 'answered',
      status: 250,
    })
    expect(seen).toEqual([true])
    expect(mails).toMatchObject([{ from: 'a@example.com', to: ['b@example.com'] }])
    expect(await sent({})).toMatchObject({ kind: 'failed', error: expect.stringMatching(/certificate/) })
    expect(mails).toHaveLength(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const MAIL = {
  from: 'a@example.com',
  to: ['b@example.com'],
  subject: 's',
  text: 't',
  headers: {},
  messageId: '<1@example.com>',
}
const send = (server: Partial<MailServer>, allow: string[], timeoutMs = 1_000) =>
  sendMail({ host: '127.0.0.1', port: 25, security: 'none', ...server }, MAIL, { timeoutMs, allow })

test('a private address is refused before anything is sent, by its name too', async () => {
  for (const host of ['127.0.0.1', 'localhost', '10.0.0.1', '::1'])
    expect(await send({ host }, [])).toMatchObject({
      kind: 'refused',
      error: expect.stringContaining('not a public address'),
    })
  expect(await send({ host: '93.184.216.34' }, [])).toMatchObject({
    kind: 'refused',
    error: '93.184.216.34 is outside: it must be TLS.',
  })
})

test('a server that says nothing, talks for ever or is gone is left after the time-out', async () => {
  const silent = await listen(createServer(() => undefined))
  expect(await send({ port: silent }, ['127.0.0.1/32'])).toMatchObject({
    kind: 'failed',
    error: 'No answer within 1 s.',
  })
  const endless = await listen(
    createServer((socket) => {
      socket.on('error', () => undefined)
      const more = () => {
        while (socket.writable && socket.write(`220-${'x'.repeat(1_000)}\r\n`));
      }
      socket.on('drain', more)
      more()
    }),
  )
  expect(await send({ port: endless }, ['127.0.0.1/32'], 5_000)).toMatchObject({ kind: 'failed' })
  expect(await send({ port: 1 }, ['127.0.0.1/32'], 60_000)).toMatchObject({
    kind: 'failed',
    error: expect.stringContaining('ECONNREFUSED'),
  })
})
