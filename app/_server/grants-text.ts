import { sourceGrants } from '@/lib/sources/preview'

/** The role that the generated text is for; whoever runs it may choose another. */
const ROLE = 'idemscope_source'

/** What gives the console's role what a store's adapter needs, and no more. */
export const grantsText = (adapter: string, config: Record<string, unknown>): string =>
  sourceGrants(adapter, config, ROLE)
