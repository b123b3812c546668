import { randomBytes } from 'node:crypto'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Json } from '../../effects/json'
import { deriveAfterFailures } from '../provider-key'
import type { EffectBeginning, EffectBegun, EffectEnd, Holder } from '../store'
import { changeKey, isHeld, isHolder, isUnchanged } from './change'
import type { TableDatabase, Update } from './database'
import { all, is, isAbsent, isAtMost, isOneOf, ms, num, type Path, text } from './expression'
import { NEW_STEP, type StepItem, writeStep } from './item'

/**
 * Begins an effect and says which provider key to send: one write for a step that is new. It changes the item where the
 * fence matches, so a takeover either sees this step or wins before it. Its nonce recognises a beginning whose reply was
 * lost, which would look like an effect that is running already.
 */
export async function beginEffect(
  db: TableDatabase,
  holder: Holder,
  effect: EffectBeginning,
): Promise<EffectBegun> {
  const nowMs = db.nowMs()
  const nonce = randomBytes(6).toString('base64url')
  const first: StepItem = {
    ...NEW_STEP,
    name: effect.name,
    kind: effect.kind,
    fence: holder.fence,
    nonce,
    begunMicros: db.nextMicros(),
    providerKey: effect.providerKey,
  }
  return changeKey<EffectBegun>(db, holder, { kind: 'stale' }, (seen) => {
    if (!isHolder(seen, holder)) return { result: { kind: 'stale' } }
    const known = seen?.steps.get(effect.step)
    if (known?.nonce === nonce) return { result: begun(known) }
    const next = known === undefined ? { step: first } : nextCall(known, first)
    if ('kind' in next) return { result: next }
    const untilMs = Math.max(seen?.leaseUntilMs ?? 0, Math.floor(nowMs + effect.leaseMs))
    const expected =
      seen === null ? all(isAbsent(['steps', effect.step]), isAtMost('u', num(untilMs))) : isUnchanged(seen)
    const set: Update['set'] = [
      [['steps', effect.step], writeStep(next.step)],
      ['r', text(effect.step)],
      ['h', ms(nowMs)],
      ['u', num(untilMs)],
    ]
    return { result: begun(next.step), update: { when: all(isHeld(holder, 'L'), expected), set } }
  })
}

const begun = ({ providerKey }: StepItem) => ({ kind: 'begun', providerKey }) as const

/** A call of a step that was begun before: what to begin it as, or why not. */
function nextCall(known: StepItem, first: StepItem): EffectBegun | { step: StepItem } {
  if (known.state === 'C') {
    const { reference, amountMinor, currency, result } = known
    return { kind: 'committed', reference, amountMinor, currency, result }
  }
  if (known.state === 'B' && known.fence === first.fence) return { kind: 'busy' }
  const providerKey =
    first.providerKey === null ? null : deriveAfterFailures(first.providerKey, known.failures)
  if (known.state !== 'F' && (known.providerKey === null || known.providerKey !== providerKey))
    return { kind: 'unsettled' }
  const inDoubt = known.inDoubt || known.state !== 'F'
  return { step: { ...first, providerKey, failures: known.failures, inDoubt } }
}

/**
 * Writes an effect's end. It needs the step's own fence, not the key's: a holder that lost its lease while the provider
 * answered still tells the truth, until another holder has begun the step anew. False = stale.
 */
export async function settleEffect(
  db: TableDatabase,
  holder: Holder,
  step: string,
  end: EffectEnd,
): Promise<boolean> {
  const settledMicros = db.nextMicros()
  const at = (name: string): Path => ['steps', step, name]
  const isBegun = all(
    isOneOf('s', ['L', 'R', 'U'].map(text)),
    is(at('s'), text('B')),
    is(at('f'), num(holder.fence)),
  )
  // Nothing has failed before and nothing is in doubt: almost always.
  const isPlain = all(isAbsent(at('x')), isAbsent(at('q')))
  return changeKey(db, holder, false, (seen, repeated) => {
    const known = seen?.steps.get(step)
    if (seen !== null) {
      const isDone = seen.state === 'C' || seen.state === 'F' || seen.state === 'G'
      if (isDone || known === undefined || known.kind === 'checkpoint' || known.fence !== holder.fence)
        return { result: false }
      if (known.state !== 'B') return { result: isSaidAgain(known, end, repeated) }
    }
    const expected = seen === null ? isPlain : isUnchanged(seen)
    const set = settledFacts(known ?? NEW_STEP, end).map(([name, value]) => [at(name), value] as const)
    set.push([at('w'), num(settledMicros)])
    return { result: true, update: { when: all(isBegun, expected), set } }
  })
}

/** After a reply that was lost, the same end is no stale holder. */
function isSaidAgain(known: StepItem, end: EffectEnd, repeated: boolean): boolean {
  // It proved nothing, so it left the step as it was known before.
  if (end.state === 'not_called') return repeated
  const reference = end.state === 'committed' ? end.reference : null
  return known.state === LETTERS[end.state] && known.reference === reference
}

const LETTERS = { committed: 'C', failed: 'F', unknown: 'U' } as const

function settledFacts(known: StepItem, end: EffectEnd): [string, AttributeValue][] {
  const state = (letter: StepItem['state']): [string, AttributeValue] => ['s', text(letter)]
  switch (end.state) {
    case 'unknown':
      return [state('U')]
    case 'not_called':
      return [state(known.inDoubt ? 'U' : 'F')]
    case 'failed':
      return known.inDoubt ? [state('F')] : [state('F'), ['x', num(known.failures + 1)]]
    case 'committed': {
      const { reference, amountMinor, currency, result } = end
      const facts: [string, AttributeValue][] = [state('C')]
      if (reference !== null) facts.push(['r', text(reference)])
      if (amountMinor !== null) facts.push(['m', num(amountMinor)])
      if (currency !== null) facts.push(['c', text(currency)])
      if (result !== null) facts.push(['d', text(JSON.stringify(result))])
      return facts
    }
  }
}

/** Names a recovery point with its data. False = stale. */
export async function saveCheckpoint(
  db: TableDatabase,
  holder: Holder,
  name: string,
  data: Json,
): Promise<boolean> {
  const nowMs = db.nowMs()
  const savedMicros = db.nextMicros()
  const first: StepItem = {
    ...NEW_STEP,
    name,
    kind: 'checkpoint',
    state: 'C',
    fence: holder.fence,
    begunMicros: savedMicros,
    settledMicros: savedMicros,
    result: data,
  }
  return changeKey(db, holder, false, (seen) => {
    if (!isHolder(seen, holder)) return { result: false }
    const known = seen?.steps.get(name)
    if (known !== undefined && known.kind !== 'checkpoint')
      throw new Error(`step ${name} is an effect, not a checkpoint`)
    const step = known === undefined ? first : { ...first, begunMicros: known.begunMicros }
    const set: Update['set'] = [
      [['steps', name], writeStep(step)],
      ['r', text(name)],
      ['h', ms(nowMs)],
    ]
    const expected = seen === null ? isAbsent(['steps', name]) : isUnchanged(seen)
    return { result: true, update: { when: all(isHeld(holder, 'L'), expected), set } }
  })
}
