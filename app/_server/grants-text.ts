import { z } from 'zod'
import { sourceGrants } from '@/lib/sources/preview'
import { grantsForConsole } from '@/sdk/stores/grants'

/** The role that the generated text is for; whoever runs it may choose another. */
const ROLE = 'idemscope_source'

/** What gives the console's role what a store's adapter needs, and no more. */
export function grantsText(adapter: string, config: Record<string, unknown>): string {
  if (adapter !== 'native') return sourceGrants(adapter, config, ROLE)
  const { schema } = z.object({ schema: z.string().default('public') }).parse(config)
  return grantsForConsole({ role: ROLE, schema })
}
