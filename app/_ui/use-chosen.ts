'use client'

import { useState } from 'react'

/** All that matched when it was chosen: exactly these, whatever arrives later. */
export type AllMatching = { ids: readonly string[]; more: boolean }

export type Chosen = ReturnType<typeof useChosen>

type State = { resetKey: string; ids: readonly string[]; allMatching: AllMatching | null }

/** Which rows are chosen. What has gone meanwhile falls out; another query begins anew. */
export function useChosen(present: readonly string[], resetKey: string) {
  const [state, setState] = useState<State>({ resetKey, ids: [], allMatching: null })
  const current = state.resetKey === resetKey ? state : { ids: [], allMatching: null }
  const { allMatching } = current
  const ids = allMatching?.ids ?? current.ids.filter((id) => present.includes(id))
  const set = (next: readonly string[]) => setState({ resetKey, ids: next, allMatching: null })
  const page = present.length > 0 && present.every((id) => ids.includes(id))
  return {
    ids: [...ids],
    allMatching,
    page,
    toggle: (id: string) => set(ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id]),
    togglePage: () => set(page ? [] : present),
    selectAll: (all: AllMatching) => setState({ resetKey, ids: all.ids, allMatching: all }),
    clear: () => set([]),
    keep: (kept: readonly string[]) => set(kept),
  }
}
