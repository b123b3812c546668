import { ActionDialog } from '@/app/_ui/action-dialog'
import { SelectField } from '@/app/_ui/field'
import { countText } from '@/lib/core/format-figure'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import { collectNow, dryRunCollection } from './actions'

type Props = {
  /** Keys that have expired, over all stores. */
  expired: number
  collectable: readonly SourceView[]
  forbidden: string | null
  place: string
}

/** Collecting, first dry. */
export function CollectActions({ expired, collectable, forbidden, place }: Props) {
  const why = collectable.length === 0 ? 'No connected store can be collected from here' : forbidden
  const [only] = collectable.length === 1 ? collectable : []
  const store = (
    <SelectField
      name="source"
      label="Store"
      defaultValue={only?.id ?? 'all'}
      choices={[
        ...(only === undefined ? [{ value: 'all', label: `All ${collectable.length} stores` }] : []),
        ...collectable.map(({ id, name }) => ({ value: id, label: name })),
      ]}
    />
  )
  return (
    <>
      <ActionDialog
        opener="Dry run"
        forbidden={why}
        title={`See what a collection would take in ${place}`}
        lead="Counts only: nothing is dropped or deleted."
        confirm="Start 1 dry run"
        action={dryRunCollection}
      >
        {store}
      </ActionDialog>
      <ActionDialog
        opener="Collect now"
        openerLook="primary"
        forbidden={why}
        title={`Collect expired keys in ${place}`}
        lead={`Up to ${countText(expired)} expired keys that are past their safety buffer are dropped for good. An unfinished key never is. A retry of a collected key executes again.`}
        tone="danger"
        confirm={`Collect expired keys in ${place}`}
        withReason
        action={collectNow}
      >
        {store}
      </ActionDialog>
    </>
  )
}
