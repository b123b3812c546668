import { wholeOrSample } from '../../support/whole-or-sample'
import { openDynamoHarness } from './dynamodb-harness'
import { ALL, describeStore } from './suite'

/** As of services that do not give back the item on which a condition failed: it is read for itself. */
describeStore(
  'DynamoDB without the item in failed conditions',
  () => openDynamoHarness({ bare: true }),
  wholeOrSample(ALL, ['acquire, replay, mismatch', 'takeover and zombies', 'endings']),
)
