import { Note } from '@/app/_ui/note'
import { Time } from '@/app/_ui/time'
import type { ClientsPage } from '@/lib/insight/clients/read-clients'

/** Where figures of keys are not of the whole range. */
export function KeysNote({ page: { tooMany, keysFrom } }: { page: ClientsPage }) {
  if (tooMany)
    return (
      <Note tone="warn" title="The range holds too many keys to look through">
        Retry windows, keys and bursts are not measured: the search ended after 20 s. Choose a shorter range.
        Counts of requests are exact.
      </Note>
    )
  if (keysFrom === null) return null
  return (
    <Note tone="quiet">
      Figures of keys begin at <Time at={keysFrom} />: keyed requests are not kept longer. Counts of requests
      are of the whole range.
    </Note>
  )
}
