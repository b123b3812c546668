import { describe, expect, test } from 'vitest'
import { fingerprintOf } from '@/lib/messages/fingerprint'

const STACKS: Record<string, [string, string, string]> = {
  // The same failure twice, with other values, places on disk and lines; then how it is called.
  JavaScript: [
    `TypeError: Cannot read 'id' of order 4711\n    at Object.get (/app/node_modules/pg/lib/client.js:1:2)\n    at charge (/app/src/charge.ts:10:5)\n    at node:internal/process/task_queues:95:5`,
    `TypeError: Cannot read 'id' of order 12\n    at Object.get (/srv/node_modules/pg/lib/client.js:9:9)\n    at charge (/srv/v2/src/charge.ts:44:1)`,
    'charge (charge.ts)',
  ],
  Java: [
    `java.lang.IllegalStateException: order 1 is closed\n\tat java.base/java.util.Optional.get(Optional.java:143)\n\tat com.acme.Charge.run(Charge.java:42)\n\tat org.springframework.Kafka.invoke(Kafka.java:1)`,
    `java.lang.IllegalStateException: order 22 is open\n\tat com.acme.Charge.run(Charge.java:50)\nCaused by: java.io.IOException: x\n\t... 3 more`,
    'com.acme.Charge.run(Charge.java)',
  ],
  '.NET': [
    `Unhandled exception. System.InvalidOperationException: Order 1 declined\n   at System.Linq.Enumerable.First() in /_/Enumerable.cs:line 1\n   at Acme.Charge.Run() in C:\\src\\Charge.cs:line 42`,
    `System.InvalidOperationException: Order 2 was declined\n   at Acme.Charge.Run() in D:\\ci\\Charge.cs:line 43`,
    'Acme.Charge.Run() in Charge.cs',
  ],
  Python: [
    `Traceback (most recent call last):\n  File "/usr/lib/python3.11/asyncio/base.py", line 1, in run\n  File "/app/charge.py", line 10, in charge\n    pay(order)\n  File "/app/site-packages/stripe/api.py", line 9, in post\nstripe.CardError: card 4242 declined`,
    `Traceback (most recent call last):\n  File "/srv/charge.py", line 99, in charge\n    pay(o)\nstripe.CardError: insufficient funds`,
    'charge.py charge',
  ],
  Go: [
    `panic: nil order 17\n\ngoroutine 1 [running]:\nmain.charge(0x1)\n\t/app/charge.go:10 +0x1d\nmain.main()\n\t/app/main.go:3 +0x1`,
    `panic: nil order 18\n\ngoroutine 9 [running]:\nruntime.gopanic()\n\t/usr/local/go/src/runtime/panic.go:884 +0x2\nmain.charge(0x2)\n\t/srv/charge.go:12 +0x2d`,
    'charge.go',
  ],
  PHP: [
    `PHP Fatal error:  Uncaught App\\Declined: order 1 in /app/src/Charge.php:10\nStack trace:\n#0 /app/vendor/guzzle/Client.php(3): Client->send()\n#1 /app/src/Pay.php(20): Charge->run()\n#2 {main}`,
    `Uncaught App\\Declined: order 2 in /srv/src/Charge.php:11\nStack trace:\n#0 /srv/src/Pay.php(25): Charge->run()`,
    'Pay.php Charge->run()',
  ],
  Ruby: [
    `/app/charge.rb:10:in \`run': order 1 declined (Acme::Declined)\n\tfrom /usr/gems/sidekiq/job.rb:3:in \`perform'\n\tfrom /app/main.rb:1:in \`main'`,
    `/srv/charge.rb:12:in 'run': no funds for 2 (Acme::Declined)\n\tfrom /srv/main.rb:1:in 'main'`,
    'charge.rb run',
  ],
}

describe('one group for one failure', () => {
  test.each(Object.entries(STACKS))('%s', (_, [one, other, frame]) => {
    const first = fingerprintOf('orders', one)
    expect(first.title).toContain(frame)
    expect(fingerprintOf('orders', other).fingerprint).toBe(first.fingerprint)
    expect(fingerprintOf('refunds', one).fingerprint).not.toBe(first.fingerprint)
  })

  test('all languages’ failures are different ones', () => {
    const all = Object.values(STACKS).map(([one]) => fingerprintOf('orders', one).fingerprint)
    expect(new Set(all).size).toBe(all.length)
  })

  test('another type at the same frame, and the same type at another, are other groups', () => {
    const of = (type: string, frame: string) =>
      fingerprintOf('t', `${type}: x\n    at ${frame} (/a/b.ts:1:1)`).fingerprint
    expect(new Set([of('TypeError', 'a'), of('RangeError', 'a'), of('TypeError', 'b')]).size).toBe(3)
  })

  test('without a stack the message decides, without ids and numbers', () => {
    const of = (text: string | null) => fingerprintOf('orders', text)
    const one = of('HTTP 503 for order 018f3a2b-0000-7000-8000-0123456789ab after 3012 ms')
    expect(of('HTTP 502 for order 018f3a2b-1111-7000-8000-0123456789ab after 9 ms')).toEqual(one)
    expect(one.title).toBe('HTTP … for order … after … ms')
    expect(of('connection refused').fingerprint).not.toBe(one.fingerprint)
    expect(of(null).title).toBe('no reason was given')
    expect(of('')).toEqual(of(null))
  })

  test('a hostile text costs no time', () => {
    const started = performance.now()
    for (const text of [
      '1'.repeat(100_000),
      'a_'.repeat(50_000),
      `${'/x'.repeat(50_000)}:1`,
      'at '.repeat(40_000),
    ])
      fingerprintOf('t', text)
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})
