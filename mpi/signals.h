/** Signals that ask training to save its state and end. All functions are Local. */
#ifndef SCS_SIGNALS_H
#define SCS_SIGNALS_H

/** SIGUSR1 no longer ends the process: from now on it asks for an end. */
void scs_signals_open(void);
/** SIGTERM and SIGINT ask as well; a second SIGINT ends the process at once. */
void scs_signals_catch(void);
/** SIGTERM and SIGINT end the process again, as they do by default. */
void scs_signals_release(void);
/** The name of the signal that asked, or NULL. */
const char *scs_signals_seen(void);

#endif
