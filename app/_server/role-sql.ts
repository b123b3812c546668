import { z } from 'zod'
import { sourceRoleSql } from '@/lib/sources/preview'
import { grantsForConsole } from '@/sdk/stores/grants'

/** The role that the generated SQL is for; whoever runs it may choose another. */
const ROLE = 'idemscope_source'

/** The SQL that gives the console's role what a store's adapter needs, and no more. */
export function roleSqlOf(adapter: string, config: Record<string, unknown>): string {
  if (adapter !== 'native') return sourceRoleSql(adapter, config, ROLE)
  const { schema } = z.object({ schema: z.string().default('public') }).parse(config)
  return grantsForConsole({ role: ROLE, schema })
}
