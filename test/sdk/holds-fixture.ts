import { randomUUID } from 'node:crypto'
import type { StoreFixture } from './support'

export type HoldInput = {
  id?: string
  route?: string
  caller?: string
  step?: string
  scope?: string
  key?: string
  reason?: string
  endsAt?: Date
  lastsMs?: number
}

/** Places a hold as a person does by hand, with SQL; returns what the store said. */
export async function placeHold(
  fixture: Pick<StoreFixture, 'query'>,
  kind: string,
  { id = randomUUID(), reason = 'Customers are charged twice', ...input }: HoldInput = {},
): Promise<{ id: string; said: string }> {
  const [row] = await fixture.query<{ said: string }>(
    `SELECT idem_place_hold($1, $2, $3, 'test', p_route => $4, p_caller => $5, p_step => $6, p_scope => $7, p_key => $8,
       p_ends_at => $9, p_lasts_ms => $10) AS said`,
    [
      ...[id, kind, reason, input.route, input.caller, input.step, input.scope, input.key],
      ...[input.endsAt, input.lastsMs ?? 60_000],
    ],
  )
  return { id, said: row?.said ?? '' }
}

export async function liftHold(fixture: Pick<StoreFixture, 'query'>, id: string): Promise<string> {
  const [row] = await fixture.query<{ said: string }>(
    "SELECT idem_lift_hold($1, 'The provider is mended', 'test') AS said",
    [id],
  )
  return row?.said ?? ''
}
