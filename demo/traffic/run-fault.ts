import type { Clock } from '../clock'
import type { WriteTruth } from '../truth'
import { type FaultName, faultOf } from './faults/registry'
import type { Stage } from './faults/stage'

/** Runs a fault's script to its end, then writes what must be found. A script that failed writes nothing. */
export async function runFault(
  name: FaultName,
  stage: Stage,
  { clock, writeTruth }: { clock: Clock; writeTruth: WriteTruth },
): Promise<void> {
  const at = new Date(clock.nowMs()).toISOString()
  const fault = faultOf(name)
  const finding = await fault.run(stage)
  writeTruth({
    at,
    fault: name,
    class: fault.class,
    store: stage.operation.store,
    ...finding,
    ...(fault.shownAs === undefined ? {} : { shownAs: fault.shownAs }),
  })
}
