import { FacetChip } from '@/app/_ui/facet-chips'
import { KEY_STATE_LABEL } from '@/app/_ui/key-state-label'
import { KEY_STATES } from '@/lib/core/states'
import type { KeyFacets as Counts } from '@/lib/keys/count-keys'
import type { Query } from './query'

type Props = {
  query: Query
  scopes: readonly string[]
  stores: readonly { id: string; name: string }[]
  /** Null = still counting. */
  counts: Counts | null
}

export function KeyFacets({ query, scopes, stores, counts }: Props) {
  return (
    <>
      <FacetChip
        name="state"
        label="State"
        chosen={query.state}
        values={KEY_STATES.map((state) => ({
          value: state,
          label: KEY_STATE_LABEL[state],
          count: counts?.states?.[state] ?? null,
        }))}
      />
      <FacetChip name="scope" label="Scope" chosen={query.scope} values={scopes} />
      <FacetChip
        name="source"
        label="Store"
        chosen={query.source}
        values={stores.map(({ id, name }) => ({
          value: id,
          label: name,
          count: counts?.sources?.find(({ source }) => source === id) ?? null,
        }))}
      />
    </>
  )
}
