import type { Db } from '@/lib/db'
import type { Freshness } from '@/lib/telemetry/read/freshness'

/** Whether anything can fire: without a service that sends and without a source, "nothing fires" says nothing. */
export const isEvaluated = async (db: Db, services: readonly Freshness[]): Promise<boolean> =>
  services.length > 0 || (await db.prisma.source.count({ where: { enabled: true } })) > 0
