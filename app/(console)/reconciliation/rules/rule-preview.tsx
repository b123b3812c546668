'use client'

import { FormPreview } from '../../_decide/form-preview'
import { previewRule } from './actions'
import { PreviewText } from './preview-text'

/** What the form's rule would excuse of the open cases, as they are staged now. */
export const RulePreview = () => (
  <FormPreview
    title="What it would excuse"
    hint="Open cases are checked again against the list with this rule in it. Nothing is changed."
    look={previewRule}
  >
    {(preview) => <PreviewText preview={preview} />}
  </FormPreview>
)
