import { z } from 'zod'
import { RECEIVER_KINDS } from '@/lib/core/receiver-kinds'
import type { Db } from '@/lib/db'
import type { Receiver } from '@/prisma/generated/client'

/** More than these are told by another tool behind one of them. */
export const RECEIVERS_MAX = 20

/** A receiver as it is shown: its URL is a credential, of which only the host is told. */
export type ReceiverView = ReturnType<typeof receiverView>

export const receiverView = ({ id, kind, name, host, paging, createdBy, createdAt }: Receiver) => ({
  id,
  kind: z.enum(RECEIVER_KINDS).parse(kind),
  name,
  host,
  paging,
  createdBy,
  createdAt: createdAt.toISOString(),
})

/** Who is told now. */
export async function listReceivers(db: Db): Promise<ReceiverView[]> {
  const rows = await db.prisma.receiver.findMany({
    where: { removedAt: null },
    orderBy: { name: 'asc' },
    take: RECEIVERS_MAX,
  })
  return rows.map(receiverView)
}
