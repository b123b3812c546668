import { notFound, redirect } from 'next/navigation'
import type { RunKind } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { getRun, type RunView } from '@/lib/runs/read'
import { missing } from './open-page'

const PAGE: Partial<Record<RunKind, (id: string) => string>> = {
  reconciliation: (id) => `/reconciliation/runs/${id}`,
  collection: (id) => `/storage/runs/${id}`,
  bulk: () => '/locks',
}

/** Where a run is told in full; null = the kind has no page. */
export const runPage = ({ kind, id }: Pick<RunView, 'kind' | 'id'>): string | null => PAGE[kind]?.(id) ?? null

/** The run of a page for runs of this kind: another kind's goes to its own page, or is not found. */
export async function openRun(db: Db, id: string, kind: RunKind): Promise<RunView> {
  const run = await getRun(db, id).catch(missing)
  if (run.kind === kind) return run
  const page = runPage(run)
  if (page === null) notFound()
  redirect(page)
}
