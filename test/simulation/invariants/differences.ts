import { providerFee } from '../world/service'
import type { World } from '../world/world'

/** What the provider and the books differ in, as somebody would find it who sees both at once. */
export type Difference = {
  what:
    | 'a charge is not booked'
    | 'a customer is charged twice'
    | 'a refund is not booked'
    | 'a refund was not paid'
    | 'a wrong fee is booked'
  id: string
  /** What can stand for it in a case. */
  names: string[]
  /** Whose it is. */
  reference: string
  sinceMs: number
}

export type Booked = {
  entry_id: string
  entry_kind: string
  provider_ref: string
  charge_ref: string
  reference: string
  amount_minor: string
  booked_at: Date
  reversed_at: Date | null
}

/** `postings`: those that were reversed too. Of what could be either of two differences, nothing is said. */
export function findDifferences(world: World, postings: readonly Booked[]): Difference[] {
  return world.provider.charges().flatMap((charge) => {
    const names = [charge.id, charge.paymentIntent]
    const about = postings.filter((posting) => names.includes(posting.charge_ref))
    const differs = (what: Difference['what'], id: string, atMs: readonly number[]): Difference => ({
      ...{ what, id, names: id === charge.id ? names : [id], reference: charge.description ?? '' },
      sinceMs: Math.max(charge.createdS * 1000, ...atMs),
    })
    return [
      ...unbookedCharge(world, charge, about, differs),
      ...chargedTwice(world, charge, about, differs),
      ...wrongFee(world, charge, about, differs),
      ...refunds(world, charge, about, differs),
    ]
  })
}

type Charge = ReturnType<World['provider']['charges']>[number]
type Differs = (what: Difference['what'], id: string, atMs: readonly number[]) => Difference

const isLive = ({ reversed_at }: Booked): boolean => reversed_at === null
const timesOf = (postings: readonly Booked[]): number[] =>
  postings.flatMap(({ booked_at, reversed_at }) => [booked_at.getTime(), reversed_at?.getTime() ?? 0])

/** What was given back whole has to be booked no more. */
function unbookedCharge(
  world: World,
  charge: Charge,
  about: readonly Booked[],
  differs: Differs,
): Difference[] {
  const capturedMs = world.provider.capturedAtMs.get(charge.id)
  const given = charge.amountRefunded - (charge.released ?? 0)
  const postings = about.filter(({ entry_kind }) => entry_kind === 'charge')
  const isKept = charge.status === 'succeeded' && given < charge.amountCaptured
  if (capturedMs === undefined || !isKept || postings.some(isLive)) return []
  const settledMs = world.provider.settledAtMs.get(charge.id) ?? 0
  return [differs('a charge is not booked', charge.id, [capturedMs, settledMs, ...timesOf(postings)])]
}

/** Under a key that has its booked charge. Of one that was given back, somebody is at it already. */
function chargedTwice(
  world: World,
  charge: Charge,
  about: readonly Booked[],
  differs: Differs,
): Difference[] {
  const key = charge.description ?? ''
  if (!world.chargedTwice.has(key) || charge.amountRefunded > 0 || about.length > 0) return []
  return [
    differs('a customer is charged twice', charge.id, [world.provider.capturedAtMs.get(charge.id) ?? 0]),
  ]
}

function wrongFee(world: World, charge: Charge, about: readonly Booked[], differs: Differs): Difference[] {
  const settledMs = world.provider.settledAtMs.get(charge.id)
  const fees = about.filter(({ entry_kind }) => entry_kind === 'fee')
  const booked = fees.filter(isLive).reduce((sum, { amount_minor }) => sum + Number(amount_minor), 0)
  if (settledMs === undefined || fees.length === 0 || booked === providerFee(charge.amountCaptured)) return []
  return [differs('a wrong fee is booked', charge.id, [settledMs, ...timesOf(fees)])]
}

function refunds(world: World, charge: Charge, about: readonly Booked[], differs: Differs): Difference[] {
  const all = world.provider.refunds().filter((refund) => refund.charge === charge.id)
  const postings = about.filter(({ entry_kind }) => entry_kind === 'refund')
  const live = all.filter(({ status }) => status === 'succeeded')
  const isUnbooked = (id: string) =>
    !postings.some((posting) => isLive(posting) && posting.provider_ref === id)
  const unbooked = live.filter(({ id }) => isUnbooked(id))
  const unpaid = postings
    .filter(isLive)
    .filter(({ provider_ref }) => !live.some(({ id }) => id === provider_ref))
  const times = [
    ...timesOf(postings),
    ...all.map((refund) => Math.max(refund.createdS, refund.failedS ?? 0) * 1000),
  ]
  if (unbooked.length > 0 && unpaid.length > 0) return []
  // Of a charge that is not booked itself, nothing has to be taken back in the books.
  const isChargeBooked = about.some((posting) => posting.entry_kind === 'charge' && isLive(posting))
  return [
    ...(isChargeBooked ? unbooked.map(({ id }) => differs('a refund is not booked', id, times)) : []),
    ...unpaid.map(({ provider_ref }) => differs('a refund was not paid', provider_ref, times)),
  ]
}
