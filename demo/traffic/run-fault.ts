import type { Clock } from '../clock'
import type { WriteTruth } from '../truth'
import { type FaultName, faults } from './faults/registry'
import type { Stage } from './faults/stage'

/** Runs a fault's script to its end, then writes what must be found. A script that failed writes nothing. */
export async function runFault(
  name: FaultName,
  stage: Stage,
  { clock, writeTruth }: { clock: Clock; writeTruth: WriteTruth },
): Promise<void> {
  const at = new Date(clock.nowMs()).toISOString()
  const finding = await faults[name].run(stage)
  writeTruth({ at, fault: name, class: faults[name].class, ...finding })
}
