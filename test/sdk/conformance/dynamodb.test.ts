import { openDynamoHarness } from './dynamodb-harness'
import { describeStore } from './suite'

describeStore('DynamoDB', openDynamoHarness)
