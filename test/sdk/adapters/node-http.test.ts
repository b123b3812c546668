import { toNodeHandler } from '@/sdk/node'
import { KEY_SECRET } from '../support'
import { listen } from './harness'
import { createPayments } from './payments'
import { describeAdapter } from './suite'

describeAdapter('node:http', {
  start: (_, { fixture, control }) =>
    listen(toNodeHandler(createPayments({ store: fixture.store, keySecret: KEY_SECRET }, control.url))),
  bodies: { plain: {} },
  usual: 'plain',
  errors: 'answer',
  streams: true,
  compresses: false,
  addsLate: false,
})
