import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultOf, type MessageFault, messageFaultNames } from '../../demo/traffic/faults/registry'
import type { Finding } from '../../demo/traffic/faults/stage'
import { planMessageFault } from '../../demo/traffic/plan'
import { type Fixture, startFixture } from './demo-fixture'

/** What a fault of messages leaves behind: in the outbox, in the inbox and with the consumers. */
interface Traces {
  /** States of its messages in the outbox, in their order. */
  outbox: string
  /** Of its key in the inbox: each life's record, or the letter of its lease. */
  inbox: string[]
  /** Why the first of its messages is dead. */
  error: string | null
  mails: number
}

const expected: Record<MessageFault, Traces> = {
  relay_killed: { outbox: 'SS', inbox: ['record'], error: null, mails: 1 },
  consumer_killed_before_effect: { outbox: 'D', inbox: ['L'], error: '409', mails: 0 },
  consumer_killed_after_effect: { outbox: 'D', inbox: ['L'], error: '409', mails: 1 },
  mail_answer_lost: { outbox: 'D', inbox: ['U'], error: '410', mails: 1 },
  poison_message: { outbox: 'DD', inbox: ['R'], error: '409', mails: 0 },
  redelivered_after_expiry: { outbox: 'S', inbox: ['record', 'record'], error: null, mails: 2 },
  out_of_order_commit: { outbox: 'SSSS', inbox: ['record'], error: null, mails: 2 },
}

describe('faults of messages', () => {
  let fixture: Fixture
  const findings = new Map<MessageFault, Finding>()

  beforeAll(async () => {
    fixture = await startFixture(2)
    // Side by side: most of their time is waiting for attempts and expiry.
    await Promise.all(
      messageFaultNames.map(async (name, index) => {
        const operation = planMessageFault(
          {
            stores: ['postgresql'],
            seed: 'messages',
            faultRate: 1,
            faults: [],
            messageFaults: messageFaultNames,
          },
          index,
        )
        if (operation === undefined) throw new Error('every operation is one')
        findings.set(name, await faultOf(name).run(fixture.stage(operation)))
      }),
    )
  })
  afterAll(() => fixture?.close())

  test.each(messageFaultNames)('%s leaves what it should', async (name) => {
    const finding = findings.get(name)
    if (finding === undefined) throw new Error('no finding')
    const messages = await readMessages(finding.messageIds ?? [])
    expect({
      outbox: messages.map(({ state }) => state).join(''),
      inbox: await readInbox(finding),
      error: /answered (\d{3})/.exec(messages[0]?.error ?? '')?.[1] ?? null,
      mails: (await fixture.messages.mailsTo(`${finding.reference}@example.com`)).length,
    }).toEqual(expected[name])
  })

  test('a message that was published again keeps its id, and is dropped by it', async () => {
    const { messageIds = [] } = findings.get('relay_killed') ?? {}
    // It was marked once, by the relay that lived: the killed one's attempt is not counted.
    expect(await readMessages(messageIds)).toMatchObject([{ attempts: 1 }, { attempts: 1 }])
    const [order = ''] = messageIds
    expect(await fixture.messages.movements(order)).toBe(1)
  })

  async function readMessages(ids: readonly string[]) {
    const { rows } = await fixture.pool.query<{ state: string; error: string | null; attempts: number }>(
      'SELECT state::text, error, attempts FROM idem_outbox WHERE id = ANY ($1) ORDER BY seq',
      [ids],
    )
    return rows
  }

  async function readInbox({ scope, key }: Finding): Promise<string[]> {
    const { rows } = await fixture.pool.query<{ state: string }>(
      `SELECT 'record' AS state FROM idem_record JOIN idem_scope USING (scope_id)
       WHERE name = $1 AND key = idem_key_bytes($2)
       UNION ALL SELECT state::text FROM idem_lease JOIN idem_scope USING (scope_id)
       WHERE name = $1 AND key = idem_key_bytes($2)`,
      [scope, key],
    )
    return rows.map(({ state }) => state)
  }
})
