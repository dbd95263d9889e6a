/** The texts for a session that is bound to its device, when a request comes without proof. */
export const unproven = {
  message: 'This session is bound to its device, and this request brought no proof of it.',
  retry: {
    title: 'One moment',
    text: 'This session is bound to this device. The page opens as soon as your browser has proved that it is here.',
  },
  over: {
    title: 'This browser could not prove that it is your device',
    text: 'Your session is bound to one device, and the proof did not come. Nobody was signed out. Sign in again to go on here.',
  },
  signIn: 'Sign in again',
};
