import type { ListedObject } from '@/lib/mirror/read/untagged'
import type { PageOf, ProviderSource, TimeRange } from '@/lib/sources/contracts'
import { SourceUnavailableError } from '@/lib/sources/contracts'

/** Beyond this the staging is too far behind for a verdict: better to say so than to list for minutes. */
const PAGES_MAX = 60

export type Tail = {
  objects: readonly ListedObject[]
  byKey(scope: string, key: string): ListedObject[]
}

/** Lists everything that the provider made in the range. Throws when there is more than 60 pages of it. */
export async function listTail(provider: ProviderSource, range: TimeRange): Promise<Tail> {
  const objects: ListedObject[] = []
  if (range.from < range.to) {
    await listAll((cursor) => provider.listCharges(range, cursor), objects)
    await listAll((cursor) => provider.listRefunds(range, cursor), objects)
  }
  return {
    objects,
    byKey: (scope, key) => objects.filter((object) => object.key === key && object.scope === scope),
  }
}

async function listAll(
  read: (cursor: string | null) => Promise<PageOf<ListedObject>>,
  into: ListedObject[],
): Promise<void> {
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX; page++) {
    const answer: PageOf<ListedObject> = await read(cursor)
    into.push(...answer.items)
    if (answer.next === null) return
    cursor = answer.next
  }
  throw new SourceUnavailableError(`the provider lists more than ${PAGES_MAX} pages beyond what is staged`)
}
