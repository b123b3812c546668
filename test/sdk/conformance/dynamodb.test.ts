import { openDynamoHarness } from './dynamodb-harness'
import { describeStore } from './suite'

describeStore('DynamoDB', openDynamoHarness)
describeStore('DynamoDB without the item in failed conditions', () => openDynamoHarness({ bare: true }))
