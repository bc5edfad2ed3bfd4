import { useQuery, useQueryClient } from '@tanstack/react-query'
import { CornerLeftUp, Folder } from 'lucide-react'
import { useState } from 'react'
import { serverFolderQuery } from '../../app/queries.ts'
import { useApi } from '../../app/services.tsx'
import { Field } from '../../components/controls.tsx'
import { FormDialog } from '../../components/form-dialog.tsx'
import { Bones, Loaded } from '../../components/states.tsx'
import { useWords } from '../../i18n/i18n.tsx'

/** Picks a folder of the server's disks. It is read and never changed. */
export function AddFolder({ onClose }: { onClose(): void }) {
  const api = useApi()
  const { say } = useWords()
  const queries = useQueryClient()
  const [path, setPath] = useState<string>()
  const [typed, setTyped] = useState<string>()
  const folder = useQuery(serverFolderQuery(api, path))
  // What was chosen, at once: until its content has come, the data are still those of the folder before.
  const shown = typed ?? path ?? folder.data?.path ?? ''
  const add = async () => {
    await api.addLibrary({ path: shown })
    await queries.invalidateQueries({ queryKey: ['libraries'] })
    await queries.invalidateQueries({ queryKey: ['scan'] })
    onClose()
  }
  const open = (to: string) => {
    setTyped(undefined)
    setPath(to)
  }
  return (
    <FormDialog title={say('addMusicFolder')} action={say('addThisFolder')} onSubmit={add} onClose={onClose}>
      <Field label={say('folderOnServer')} hint={say('folderNeverChanged')}>
        {(ids) => (
          <input
            {...ids}
            className="input"
            required
            spellCheck={false}
            autoCapitalize="none"
            value={shown}
            onChange={(event) => setTyped(event.currentTarget.value)}
            onBlur={() => typed !== undefined && typed !== '' && setPath(typed)}
          />
        )}
      </Field>
      <div className="picker">
        <Loaded query={folder} bones={<Bones shape="line" count={5} />}>
          {({ parent, folders }) => (
            <ul aria-label={say('folders')}>
              {parent === undefined ? null : (
                <li>
                  <button type="button" onClick={() => open(parent)}>
                    <CornerLeftUp size={18} aria-hidden />
                    {say('folderUp')}
                  </button>
                </li>
              )}
              {folders.map((inner) => (
                <li key={inner.path}>
                  <button type="button" onClick={() => open(inner.path)}>
                    <Folder size={18} aria-hidden />
                    {inner.name}
                  </button>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </div>
    </FormDialog>
  )
}
