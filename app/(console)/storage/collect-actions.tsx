import { ActionDialog } from '@/app/_ui/action-dialog'
import { SelectField } from '@/app/_ui/field'
import { countText } from '@/lib/core/format-figure'
import { collectNow, dryRunCollection } from './actions'
import { type StorageData, sumOver } from './read-page'

/** Collecting, first dry. */
export function CollectActions({ tiers, collectable, forbid, place }: StorageData) {
  const why =
    collectable.length === 0 ? 'No connected store can be collected from here' : forbid('retention.run')
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
        lead={`Up to ${countText(sumOver(tiers, 'expiredRows'))} expired keys that are past their safety buffer are dropped for good. An unfinished key never is. A retry of a collected key executes again.`}
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
