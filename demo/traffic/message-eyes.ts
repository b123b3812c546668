import type { Pool } from 'pg'
import { z } from 'zod'

/** Messages as a fault's script sees them: their rows in the outbox, and what became of them. */
export interface MessageEyes {
  /** Keeps the service's relay from publishing meanwhile. */
  withRelayPaused<T>(work: () => Promise<T>): Promise<T>
  /** Of an order, in the order of publishing. */
  ofOrder(reference: string): Promise<readonly SeenMessage[]>
  /** Resolves once each of them is in this state; throws where one has ended otherwise, or time is up. */
  until(state: 'sent' | 'dead', ids: readonly string[]): Promise<void>
  /** Publishes once more what was sent, as a person does who replays a topic. */
  publishAgain(id: string): Promise<void>
  /** Rows that the inventory has written for a message. */
  movements(id: string): Promise<number>
  /** Ids of the mails to an address, in the order of sending. */
  mailsTo(email: string): Promise<string[]>
}

export interface SeenMessage {
  readonly id: string
  readonly topic: string
  readonly type: string
  readonly state: 'open' | 'sent' | 'dead'
}

const lookMs = 250
/** A message's attempts take some five seconds; a busy machine takes longer. */
const untilMs = 60_000

const messageRow = z.object({
  id: z.uuid(),
  topic: z.string(),
  type: z.string(),
  state: z.string().transform((state) => (state === 'S' ? 'sent' : state === 'D' ? 'dead' : 'open')),
})

export interface WatchedService {
  readonly pool: Pool
  readonly withRelayPaused: MessageEyes['withRelayPaused']
  readonly provider: { readonly url: string; readonly readKey: string }
}

export function watchMessages({ pool, withRelayPaused, provider }: WatchedService): MessageEyes {
  const read = async (where: string, value: unknown): Promise<SeenMessage[]> => {
    const sql = `SELECT id, topic, type, state FROM idem_outbox WHERE ${where} ORDER BY seq`
    return (await pool.query(sql, [value])).rows.map((row) => messageRow.parse(row))
  }
  return {
    withRelayPaused,
    ofOrder: (reference) => read('key = $1', reference),
    async until(state, ids) {
      for (let waitedMs = 0; ; waitedMs += lookMs) {
        const seen = await read('id = ANY ($1)', ids)
        const other = seen.find((each) => each.state !== 'open' && each.state !== state)
        if (other !== undefined) throw new Error(`message ${other.id} is ${other.state}, not ${state}`)
        if (seen.every((each) => each.state === state)) return
        if (waitedMs >= untilMs)
          throw new Error(`messages ${ids.join(', ')} were not ${state} in ${untilMs} ms`)
        await new Promise((resolve) => setTimeout(resolve, lookMs))
      }
    },
    async publishAgain(id) {
      await pool.query(
        `UPDATE idem_outbox SET state = 'P', attempts = 0, settled_at = NULL, seq = nextval('idem_outbox_seq'),
           xid = pg_current_xact_id()
         WHERE id = $1 AND state = 'S'`,
        [id],
      )
    },
    async movements(id) {
      const { rows } = await pool.query(
        'SELECT count(*)::int AS n FROM stock_movement WHERE message_id = $1',
        [id],
      )
      return z.object({ n: z.int() }).parse(rows[0]).n
    },
    async mailsTo(email) {
      const query = new URLSearchParams({ to: email, limit: '100' })
      const response = await fetch(`${provider.url}/v1/mails?${query}`, {
        headers: { authorization: `Bearer ${provider.readKey}` },
      })
      const { data } = z.object({ data: z.array(z.object({ id: z.string() })) }).parse(await response.json())
      return data.map(({ id }) => id).reverse()
    },
  }
}
