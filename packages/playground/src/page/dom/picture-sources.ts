import { byId } from './elements.js';
import { toBlob } from './prepare-file.js';

/** Every way a picture comes in: chosen, dropped anywhere, pasted, photographed. */
export function connectPictureSources(onPicture: (file: Blob, name: string) => void): void {
  const input = byId('file', HTMLInputElement);
  input.addEventListener('change', () => {
    for (const file of input.files ?? []) onPicture(file, file.name);
    // So that choosing the same file again counts as a choice.
    input.value = '';
  });
  for (const id of ['choose', 'choose-another']) {
    byId(id, HTMLButtonElement).addEventListener('click', () => input.click());
  }
  connectDrop(onPicture);
  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter(({ type }) => type.startsWith('image/'));
    if (files.length === 0) return;
    event.preventDefault();
    for (const file of files) onPicture(file, file.name || 'pasted.png');
  });
  connectCamera(onPicture);
}

function connectDrop(onPicture: (file: Blob, name: string) => void): void {
  let depth = 0;
  const show = (change: number): void => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle('dropping', depth > 0);
  };
  document.addEventListener('dragenter', (event) => {
    if (event.dataTransfer?.types.includes('Files')) show(1);
  });
  document.addEventListener('dragleave', (event) => {
    if (event.dataTransfer?.types.includes('Files')) show(-1);
  });
  document.addEventListener('dragover', (event) => event.preventDefault());
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    show(-depth);
    for (const file of event.dataTransfer?.files ?? []) onPicture(file, file.name);
  });
}

function connectCamera(onPicture: (file: Blob, name: string) => void): void {
  const button = byId('photograph', HTMLButtonElement);
  // Browsers offer cameras to pages from this machine or over HTTPS only.
  if (navigator.mediaDevices?.getUserMedia === undefined) {
    button.hidden = true;
    return;
  }
  const dialog = byId('camera', HTMLDialogElement);
  const video = byId('camera-view', HTMLVideoElement);
  const message = byId('camera-message', HTMLElement);
  let stream: MediaStream | undefined;
  button.addEventListener('click', async () => {
    message.textContent = 'Asking for the camera';
    dialog.showModal();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: 1920 } });
      video.srcObject = stream;
      await video.play();
      message.textContent = '';
      if (!dialog.open) stop();
    } catch {
      message.textContent = 'No camera can be used. Choose a picture instead.';
    }
  });
  const stop = (): void => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
  };
  dialog.addEventListener('close', stop);
  byId('camera-close', HTMLButtonElement).addEventListener('click', () => dialog.close());
  byId('shoot', HTMLButtonElement).addEventListener('click', async () => {
    if (stream === undefined || video.videoWidth === 0) return;
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext('2d')?.drawImage(video, 0, 0);
    onPicture(await toBlob(canvas, 'image/jpeg', 0.95), 'photo.jpg');
    dialog.close();
  });
}
