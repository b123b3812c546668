import { checkStoreTable, type DynamoHealth } from '@/sdk/stores/dynamodb/check'
import type { StoreCapabilities } from '../contracts'
import { readingText } from '../dynamodb/capabilities'
import { unavailable } from '../dynamodb/client/fault'
import { sdkTable } from './holds'
import type { OwnTable } from './store'

type Durability = NonNullable<StoreCapabilities['durability']>

export function capabilitiesOf(
  { config, size, whole }: OwnTable,
  durability: Durability | null,
): StoreCapabilities {
  return {
    canRelease: true,
    canComplete: true,
    canFail: true,
    canCollect: false,
    canHold: true,
    casStrength: 'token',
    zombieSafe: true,
    recordsEffects: true,
    providerKeyed: config.providerKeyed,
    collection: 'by_engine',
    ...(durability === null ? {} : { durability }),
    reading: `Live keys by the store’s own index, at each reading. Finished keys: ${readingText(config, { size, whole, live: 0 })}`,
    reasons: {
      collect: 'DynamoDB deletes expired items itself, days late at times. A live key never expires.',
    },
  }
}

/** What the SDK's own start checks say of the table. */
export async function readDurability(table: OwnTable): Promise<Durability> {
  const health = await checkStoreTable(sdkTable(table), true).catch((error: unknown) => {
    throw unavailable(error)
  })
  return durabilityOf(health)
}

const KEPT: Record<DynamoHealth['durability'], { kept: boolean; text: string }> = {
  one_region: { kept: true, text: 'acknowledged writes are in three availability zones of one region' },
  all_regions: { kept: true, text: 'acknowledged writes are in every region of the table' },
  not_verified: { kept: false, text: 'it could not be verified' },
  unchecked: { kept: false, text: 'the table was not asked' },
}

/** Pure. */
export function durabilityOf({ durability, faults, warnings }: DynamoHealth): Durability {
  const { kept, text } = KEPT[durability]
  return { kept: kept && faults.length === 0, text: [text, ...faults, ...warnings].join('; ') }
}
