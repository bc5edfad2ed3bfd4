/**
 * Whether the text is now on the clipboard. Over plain HTTP, which is how most homes reach their server, browsers give
 * pages no clipboard but do copy what is selected in a field: `field` holds the text.
 */
export async function copyText(text: string, field?: HTMLInputElement): Promise<boolean> {
  try {
    if (navigator.clipboard !== undefined) {
      await navigator.clipboard.writeText(text)
      return true
    }
  } catch {
    // It may be forbidden; the older way remains.
  }
  if (field === undefined) return false
  field.select()
  return document.execCommand('copy')
}
