import { z } from 'zod'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import type { Db } from '@/lib/db'
import { ofStoreSchema, readOfStores, writeOfStore } from './store-setting'

const valueSchema = z.object({ bytes: z.number() })

/** How much each store may hold, by its id, where somebody has said so: a database does not tell how large its disk is. */
export async function readCapacities(db: Db): Promise<Map<string, number>> {
  const kept = await readOfStores(db, 'store_capacity')
  return new Map(
    kept.flatMap(([source, value]) => {
      const { bytes } = valueSchema.parse(value)
      return bytes === 0 ? [] : [[source, bytes] as const]
    }),
  )
}

/** 0 takes it away. */
const inputSchema = ofStoreSchema.extend({ bytes: z.int().min(0) })

/** Says how much a store may hold, from which its days left follow. Changes nothing in the store. */
export async function setCapacity(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'source.manage')
  const { bytes, ...of } = inputSchema.parse(raw)
  await writeOfStore(ctx, 'store_capacity', of, { bytes }, (kept) => kept ?? { bytes: 0 })
}
