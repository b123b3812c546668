import { z } from 'zod'
import { countStuck, tallyLocks } from '@/lib/locks/count-locks'
import { stuckSentence } from '@/lib/locks/describe-locks'
import { listLocks } from '@/lib/locks/list-locks'
import { readUnlisted } from '@/lib/locks/unlisted'
import { listSources, storeStateOf } from '@/lib/mirror/read/list-sources'
import { text } from '../../api/inputs'
import { quoteSentence } from '../quote'
import { tool } from '../tool'
import { lockItem } from './describe-lock'

/** More never fit. */
const READ_MAX = 50

export const stuckKeys = tool({
  name: 'stuck_keys',
  title: 'Stuck keys',
  description:
    'Idempotency keys that nobody works on any more, the oldest first: each with the verdict (release, complete, investigate, wait) as of its last check. Ask explain_verdict for the evidence of one.',
  input: z.strictObject({
    endpoint: text.optional().describe('Only of this endpoint, e.g. `POST /v1/payments`'),
    client: text.optional().describe('Only of this caller: the part of the scope before the slash'),
  }),
  async read({ db, clock, origin }, { endpoint, client }) {
    const now = clock.now()
    const filter = { stuckOnly: true, endpoint, client }
    const [page, { tallies, more }, unlisted, sources] = await Promise.all([
      listLocks(db, filter, { limit: READ_MAX }, now),
      tallyLocks(db),
      readUnlisted(db),
      listSources(db, now),
    ])
    const counts = countStuck(
      tallies.filter(
        (tally) =>
          (endpoint === undefined || tally.endpoint === endpoint) &&
          (client === undefined || tally.client === client),
      ),
    )
    const uncounted = more || unlisted.length > 0
    const places = counts.sources.map((id) => sources.find((source) => source.id === id)?.name ?? id)
    const query = new URLSearchParams({
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(client === undefined ? {} : { client }),
    })
    const path = query.size === 0 ? '/locks' : `/locks?${query}`
    return {
      title: 'Stuck keys',
      path,
      lines: [quoteSentence(stuckSentence(counts, places.join(', '), storeStateOf(sources), uncounted))],
      data: { stuck: counts.stuck, byVerdict: counts.byVerdict },
      sections: [
        {
          name: 'keys',
          heading: 'Oldest first',
          items: page.items.map((lock) => lockItem(lock, origin)),
          beyond: Math.max(0, counts.stuck - page.items.length),
          uncounted,
          path,
        },
      ],
    }
  },
})
