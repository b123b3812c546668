import { allStrands, resume } from '../environment/strands'
import { type Move, PLAIN, TO_THE_END } from '../scripts/script'
import { performOfAccounts } from './accounts'
import { capture, releaseAuthorisation, settleCharge } from './captures'
import { chargeTwice, flood } from './flood'
import { performHold } from './holds'
import {
  approveCorrection,
  decideDispute,
  dispute,
  failRefund,
  proposeCorrection,
  refundAtDashboard,
  refundByService,
  sendAgain,
} from './money'
import { operate } from './operator'
import { settlePrepared } from './prepared'
import { reconcileNow } from './reconciliation'
import { collectNow, setPolicy } from './retention'
import type { World } from './world'

/** Those below are named by the script. */
const FIRST_NEW_KEY = 10

/** Makes one move and lets everything settle that it began. Throws the violation that it led to. */
export async function perform(world: World, move: Move): Promise<void> {
  await begin(world, move)
  await world.settle()
  world.demandWhole()
}

async function begin(world: World, move: Move): Promise<void> {
  switch (move.do) {
    case 'pay':
      return world.pay(world.keyName(move.key), move)
    case 'pay_new':
      return world.pay(world.keyName(FIRST_NEW_KEY + world.serial()), { ...move, card: 'good' })
    case 'pay_unkeyed':
      return world.pay(null, { ...move, card: 'good' })
    case 'continue': {
      const waiting = allStrands().filter(
        ({ waiting, process }) => waiting.length > 0 && !process.dead && !process.frozen,
      )
      const strand = waiting[move.nth % Math.max(1, waiting.length)]
      if (strand !== undefined) resume(strand, move.points)
      return
    }
    case 'kill': {
      world.services[move.process]?.kill()
      world.services[move.process] = world.start(`service ${move.process}`)
      return
    }
    case 'freeze':
    case 'thaw': {
      const service = world.services[move.process]
      if (service === undefined) return
      service.process.frozen = move.do === 'freeze'
      for (const execution of world.executions)
        if (execution.process === service.process) execution.excused = true
      return
    }
    case 'clock':
    case 'pass':
      return world.advance(move.seconds * 1000)
    case 'store_clock': {
      world.env.time.storeAheadMs = move.seconds * 1000
      for (const execution of world.executions) execution.excused = true
      world.env.tellTime()
      return
    }
    case 'copy_store':
      return world.copyStore()
    case 'fail_over':
      return world.failOver(move.toCopy)
    case 'fail_over_beside_run': {
      await begin(world, { do: 'reconcile', points: move.points, fault: null })
      await world.settle()
      await world.failOver(move.toCopy)
      const run = allStrands().find((strand) => strand.name === 'reconcile' && !strand.ended)
      if (run !== undefined) resume(run, TO_THE_END)
      return
    }
    case 'operate':
      return world.run(`${move.verb} ${move.key}`, world.console, move, () =>
        operate(world, move.verb, world.keyName(move.key)),
      )
    case 'refund': {
      const service = world.services[move.process]
      if (service !== undefined)
        world.run(`refund ${move.how}`, service.process, move, () =>
          refundByService(world, service, move.nth, move),
        )
      return
    }
    case 'dashboard_refund':
      return refundAtDashboard(world, move.nth, move.amount)
    case 'bank_fails_refund':
      return failRefund(world, move.nth)
    case 'send_again': {
      const service = world.services[move.process]
      if (move.by === 'support') return sendAgain(world, null, move)
      if (service !== undefined)
        world.run('send again', service.process, move, () => sendAgain(world, service, move))
      return
    }
    case 'dispute':
      return dispute(world, move.nth, move)
    case 'capture': {
      const service = world.services[move.process]
      if (service !== undefined)
        world.run('capture', service.process, move, () => capture(world, service, move))
      return
    }
    case 'release':
      return releaseAuthorisation(world, move)
    case 'settle_charge':
      return settleCharge(world, move.nth)
    case 'decide_dispute':
      return decideDispute(world, move.nth, move.status)
    case 'ride':
      return world.ride(`ride-${world.script.seed}-${move.key}`, move)
    case 'policy':
      return world.run('policy', world.console, move, () => setPolicy(world, move))
    case 'collect':
      if (isRunning('collect')) return
      return world.run('collect', world.console, move, () => collectNow(world, move.store))
    case 'reconcile':
      if (isRunning('reconcile')) return
      return world.run('reconcile', world.console, move, () => reconcileNow(world))
    case 'ripen':
      for (const seconds of [6, 20]) {
        await world.advance(seconds * 1000)
        await begin(world, { do: 'reconcile', ...PLAIN })
        await world.settle()
      }
      return
    case 'propose':
      return world.run(`${move.by} proposes`, world.console, move, () =>
        proposeCorrection(world, move.nth, move.by),
      )
    case 'approve':
      return world.run(`${move.by} approves`, world.console, move, () =>
        approveCorrection(world, move.nth, move.by),
      )
    case 'console_clock':
      world.env.time.consoleAheadMs = move.seconds * 1000
      world.env.tellTime()
      return
    case 'flood':
      return flood(world, move)
    case 'charge_twice':
      return chargeTwice(world, move.nth)
    case 'settle_prepared':
      return settlePrepared(world, move.nth, move.commits)
    case 'hold':
    case 'lift':
    case 'settle_holds':
      return performHold(world, move)
    default:
      return performOfAccounts(world, move)
  }
}

/** One run of a kind at a time, as the queue has it. */
const isRunning = (name: string): boolean =>
  allStrands().some((strand) => strand.name === name && !strand.ended)
