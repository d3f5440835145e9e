# a generative adversarial net that learns points on a line
import numpy as np
from keras.models import Sequential
from keras.layers import Dense, LeakyReLU
from keras.optimizers import Adam

np.random.seed(3)
latent_dim = 2
half = 64


def real_samples(n):
    x1 = np.random.rand(n, 1) - 0.5
    return np.hstack((x1, 2 * x1)), np.ones((n, 1))


def define_discriminator():
    model = Sequential()
    model.add(Dense(25, kernel_initializer='he_uniform', input_dim=2))
    model.add(LeakyReLU(alpha=0.2))
    model.add(Dense(1, activation='sigmoid'))
    model.compile(loss='binary_crossentropy', optimizer=Adam(lr=0.002, beta_1=0.5), metrics=['accuracy'])
    return model


def define_generator():
    model = Sequential()
    model.add(Dense(15, activation='relu', kernel_initializer='he_uniform', input_dim=latent_dim))
    model.add(Dense(2, activation='linear'))
    return model


def define_gan(generator, discriminator):
    # make weights in the discriminator not trainable
    discriminator.trainable = False
    model = Sequential()
    model.add(generator)
    model.add(discriminator)
    model.compile(loss='binary_crossentropy', optimizer=Adam(lr=0.002, beta_1=0.5))
    return model


discriminator = define_discriminator()
generator = define_generator()
gan = define_gan(generator, discriminator)
start = [w.copy() for w in discriminator.get_weights()]
for i in range(1500):
    x_real, y_real = real_samples(half)
    x_fake = generator.predict(np.random.randn(half, latent_dim))
    discriminator.train_on_batch(x_real, y_real)
    discriminator.train_on_batch(x_fake, np.zeros((half, 1)))
    gan.train_on_batch(np.random.randn(2 * half, latent_dim), np.ones((2 * half, 1)))
points = generator.predict(np.random.randn(500, latent_dim))
print('discriminator learned:', any((a != b).any() for a, b in zip(start, discriminator.get_weights())))
print('points near the line: %.3f' % np.mean(np.abs(points[:, 1] - 2 * points[:, 0]) < 0.5))
print('layers of all:', len(gan.layers), 'trainable weights:', len(gan.trainable_weights))
