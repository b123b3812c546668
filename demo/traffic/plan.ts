import { Prng } from '../prng'
import type { StoreName } from '../stores/names'
import type { FaultName, TakingTurns } from './faults/registry'
import type { Operation, OperationKind } from './operation'

/** An operation, and the fault that it is to have. */
export type PlannedOperation = Operation & { readonly fault: FaultName | undefined }

export interface PlanOptions extends TakingTurns {
  readonly seed: string
  /** Share of operations with a fault, 0 to 1. */
  readonly faultRate: number
  /** They take turns with the faults; of other operations, most go to the first. */
  readonly stores: readonly StoreName[]
}

/** The operation with an index. It depends on the options and the index only: never on time or on earlier outcomes. */
export function planOperation(options: PlanOptions, index: number): PlannedOperation {
  const seed = `${options.seed}/operation/${index}`
  const planned = planFault(options.faults, options.faultRate, index)
  const store =
    planned.fault === undefined ? drawStore(options.stores, seed) : turnOf(options.stores, planned)
  return { ...drawOperation(seed, index), ...planned, store }
}

/** Share of everyday operations that go to each further store: a demo is to stay light. */
const furtherStoreShare = 0.05

/** Drawn by itself: what else is random about an operation is the same whatever stores there are. */
function drawStore(stores: readonly StoreName[], seed: string): StoreName {
  const [first = 'postgresql', ...further] = stores
  return further[Math.floor(new Prng(`${seed}/store`).next() / furtherStoreShare)] ?? first
}

/** A kind of fault happens in one store after the other. */
function turnOf(stores: readonly StoreName[], { faultsBefore }: Pick<Operation, 'faultsBefore'>): StoreName {
  return stores[faultsBefore % stores.length] ?? 'postgresql'
}

/** So many faults of messages to one of payments: each is a process or two, and a demo is to stay light. */
const messageFaultShare = 0.25

/** What begins beside the operation with an index: a fault of messages. */
export function planMessageFault(options: PlanOptions, index: number): PlannedOperation | undefined {
  const { faults, messageFaults, faultRate, seed } = options
  const share = faults.length === 0 ? 1 : messageFaultShare
  const planned = planFault(messageFaults, faultRate * share, index)
  if (planned.fault === undefined) return undefined
  // The outbox is in the service's database, and so are the records of its consumers.
  return { ...drawOperation(`${seed}/message-fault/${index}`, index), ...planned, store: 'postgresql' }
}

function drawOperation(seed: string, index: number): Omit<Operation, 'faultsBefore' | 'store'> {
  const prng = new Prng(seed)
  const currency = prng.pick([
    ['USD', 45],
    ['EUR', 30],
    ['JPY', 15],
    ['KWD', 10],
  ] as const)
  return {
    index,
    client: prng.pick([
      ['web', 50],
      ['mobile', 30],
      ['partner', 20],
    ] as const),
    kind: pickKind(prng),
    reference: `order-${prng.uuid().slice(0, 13)}`,
    customer: `cus_demo_${String(prng.int(1, 400)).padStart(3, '0')}`,
    amountMinor: String(pickAmount(prng, currency)),
    currency,
    keys: [prng.uuid(), prng.uuid(), prng.uuid()],
    seed,
  }
}

/** Faults are spread evenly and take turns, so that each kind is there in a short run too. */
function planFault(
  faults: readonly FaultName[],
  faultRate: number,
  index: number,
): Pick<PlannedOperation, 'fault' | 'faultsBefore'> {
  if (faults.length === 0) return { fault: undefined, faultsBefore: 0 }
  const before = Math.floor(index * faultRate)
  const after = Math.floor((index + 1) * faultRate)
  const fault = after > before ? faults[before % faults.length] : undefined
  return { fault, faultsBefore: Math.floor(before / faults.length) }
}

function pickKind(prng: Prng): OperationKind {
  return prng.pick([
    ['create', 52],
    ['capture', 10],
    ['refund', 12],
    ['quick', 5],
    ['express', 5],
    ['legacy', 4],
    ['read', 10],
    ['lost-response', 2],
  ] as const)
}

/** In the currency's smallest unit. Amounts of dinars end in 0, as the provider wants. */
function pickAmount(prng: Prng, currency: Operation['currency']): number {
  switch (currency) {
    case 'USD':
    case 'EUR':
      return prng.int(500, 50_000)
    case 'JPY':
      return prng.int(300, 80_000)
    case 'KWD':
      return prng.int(100, 9000) * 10
  }
}
