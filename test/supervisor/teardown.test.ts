import { expect, test } from 'vitest'
import { Teardown } from '@/jobs/supervisor/teardown'

test('ends what was begun, the latest first, once for everybody who asks', async () => {
  const teardown = new Teardown()
  const ended: string[] = []
  let goOn: () => void = () => undefined
  teardown.add(() => void ended.push('database'))
  teardown.add(async () => {
    await new Promise<void>((done) => {
      goOn = done
    })
    ended.push('children')
  })
  const first = teardown.end()
  expect(teardown.signal.aborted).toBe(true)
  let secondIsOver = false
  const second = teardown.end().then(() => {
    secondIsOver = true
  })
  await new Promise((done) => setImmediate(done))
  expect([ended, secondIsOver]).toEqual([[], false])
  goOn()
  await Promise.all([first, second])
  expect(ended).toEqual(['children', 'database'])
})

test('goes on where a step fails, ends what is begun meanwhile, and says what failed', async () => {
  const teardown = new Teardown()
  const ended: string[] = []
  teardown.add(() => void ended.push('database'))
  teardown.add(async () => {
    teardown.add(() => void ended.push('late'))
    throw new Error('no goodbye')
  })
  await expect(teardown.end()).rejects.toMatchObject({ errors: [new Error('no goodbye')] })
  expect(ended).toEqual(['late', 'database'])
})
