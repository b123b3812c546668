import { notFound, redirect } from 'next/navigation'
import type { RunKind } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { runPage } from '@/lib/runs/describe-run'
import { getRun, type RunView } from '@/lib/runs/read'
import { missing } from './open-page'

/** The run of a page for runs of this kind: another kind's goes to its own page, or is not found. */
export async function openRun(db: Db, id: string, kind: RunKind): Promise<RunView> {
  const run = await getRun(db, id).catch(missing)
  if (run.kind === kind) return run
  const page = runPage(run)
  if (page === null) notFound()
  redirect(page)
}
