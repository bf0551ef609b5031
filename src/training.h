/** A training run: the trainer, the best weights so far and how far it is. */
#ifndef SCS_TRAINING_H
#define SCS_TRAINING_H

#include "src/trainer.h"

struct scs_training {
    scs_trainer *trainer;
    const scs_watch *watch;
    scs_real *best; /**< [n_param + n_running] the best epoch's; NULL: the last weights stay */
    scs_position position;
    double clock;  /**< when the epoch, or this job's part of it, began */
    bool advanced; /**< this job made a step */
};

#endif
